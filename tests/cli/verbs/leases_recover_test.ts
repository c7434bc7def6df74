import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { connect, type NamespacedClient } from "davit";
import { thisOwner } from "../../../cli/owner.ts";
import type { Containerd } from "../../real/containerd.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { davit } from "./davit.ts";

const main = fromFileUrl(new URL("../../../cli/main.ts", import.meta.url));

realTest("leases recover removes what a killed davit held, once it is dead", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const [here, there] = [
    client.namespace(uniqueNamespace("here")),
    client.namespace(uniqueNamespace("there")),
  ];
  await containerd.ctr(["leases", "create", "--id", "foreign"], { namespace: here.name });
  await here.leases.create({ id: "mute", labels: { "davit/operation": "images copy" } });
  const child = ingesting(containerd, there.name);
  try {
    const lease = await leaseAndIngest(there);
    const recover = async (...argv: string[]) => {
      const { code, stdout } = await davit(containerd, [
        "-n",
        there.name,
        "leases",
        "recover",
        ...argv,
        "-o",
        "json",
      ]);
      assertEquals(code, 0);
      return (JSON.parse(stdout) as Record<string, unknown>[]).map(({ createdAt: _, ...row }) => row);
    };
    const { pid } = child;
    assertEquals(await recover(), [{ id: lease, status: "alive", reason: `process ${pid} holds it`, pid }]);

    child.kill("SIGKILL");
    await child.status;
    assertEquals(await recover("--dry-run"), [{ id: lease, status: "would be removed", pid }]);
    assertEquals(await leasesIn(there), [lease]);
    const everywhere = await recover("-A");
    assertEquals(everywhere.filter(({ namespace }) => [here.name, there.name].includes(String(namespace))), [
      { namespace: here.name, id: "mute", status: "unknown", reason: "it does not say who holds it" },
      { namespace: there.name, id: lease, status: "removed", pid },
    ]);
    assertEquals([await leasesIn(here), await leasesIn(there)], [["foreign", "mute"], []]);
    const inCtr = await containerd.ctr(["leases", "ls", "-q"], { namespace: there.name });
    assertEquals(inCtr.stdout, "");
    await there.leases.collectGarbage();
    assertEquals(await Array.fromAsync(there.content.listStatuses()), []);
  } finally {
    await child.stdin.abort().catch(() => {});
  }
}, { timeoutMs: 120_000 });

/** Everything by name, with which Deno keeps `/proc` from a program all the same. */
const lesser = ["read", "write", "net", "env", "sys", "run"].map((name) => `--allow-${name}`);

realTest("leases recover leaves all where davit may not look at processes", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address, owner: thisOwner });
  const { leases, name } = client.namespace(uniqueNamespace());
  await using lease = await leases.acquire({ prefix: "test" });
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", ...lesser, main, "-a", containerd.address, "-n", name, "leases", "recover"],
  }).output();
  assertEquals(code, 0);
  assertMatch(new TextDecoder().decode(stderr), /^warning: This davit may not look at processes.*\n$/);
  assertStringIncludes(
    new TextDecoder().decode(stdout),
    `whether process ${Deno.pid} still runs cannot be told`,
  );
  assertEquals((await Array.fromAsync(leases.list())).map(({ id }) => id), [lease.id]);
}, { series: ["2"] });

/** A davit that waits for the rest of what it writes. */
function ingesting({ address }: Containerd, namespace: string): Deno.ChildProcess {
  const argv = ["-a", address, "-n", namespace, "content", "ingest", "upload"];
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", main, ...argv],
    stdin: "piped",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  writer.write(new Uint8Array(2 << 20)).catch(() => {}); // it is killed before it has read all
  writer.releaseLock();
  return child;
}

/** Waits until something is being written in a namespace; resolves to the lease that holds it. */
async function leaseAndIngest(client: NamespacedClient): Promise<string> {
  for (;;) {
    const ingests = await Array.fromAsync(client.content.listStatuses());
    if (ingests.length > 0) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const [id, ...more] = await leasesIn(client);
  assert(id !== undefined && more.length === 0);
  return id;
}

async function leasesIn({ leases }: NamespacedClient): Promise<string[]> {
  return (await Array.fromAsync(leases.list())).map(({ id }) => id);
}
