import { assertEquals, assertMatch } from "@std/assert";
import { connect, containerdError } from "davit";
import { run } from "../../../cli/app.ts";
import { openSocket, type SocketOptions } from "../../../lib/host.ts";
import { meddled } from "../../fault/meddler.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { shimsOf, startSandbox } from "../../lib/some_sandbox.ts";
import { CapturedIo } from "../captured_io.ts";
import { davit } from "./davit.ts";

realTest(
  "sandboxes list shows the sandboxes that ctr shows, and remove removes them",
  async (_t, containerd) => {
    const namespace = uniqueNamespace();
    await using client = await connect({ address: containerd.address });
    await client.namespaces.create(namespace);
    const { sandboxes } = client.namespace(namespace);
    for (const id of ["a", "b"]) {
      await sandboxes.create({ id, runtime: "io.containerd.runc.v2", labels: { [id]: "1" } });
    }
    const sb = (...argv: string[]) => davit(containerd, ["-n", namespace, "sandboxes", ...argv]);
    const [header, ...rows] = (await sb("list")).stdout.trimEnd().split("\n");
    assertMatch(header!, /^ID +CREATED +RUNTIME$/);
    const { stdout } = await containerd.ctr(["sandboxes", "list"], { namespace });
    assertEquals(rows.map((row) => row[0]), stdout.trim().split("\n").slice(1).map((row) => row[0]));
    assertEquals((await sb("list", "-q", "labels.b==1")).stdout, "b\n");
    const all = JSON.parse((await davit(containerd, ["sb", "ls", "-A", "-o", "json"])).stdout);
    assertEquals(all.map(({ namespace, id }: { namespace: string; id: string }) => [namespace, id]), [
      [namespace, "a"],
      [namespace, "b"],
    ]);

    const refused = await davit(containerd, ["namespaces", "remove", namespace]);
    assertEquals(refused.code, 5);
    assertMatch(refused.stderr, /it still has sandboxes\nhint: --purge /);
    const purge = ["ns", "rm", namespace, "--purge"];
    const [plan] = JSON.parse((await davit(containerd, [...purge, "--dry-run", "-o", "json"])).stdout);
    assertEquals(plan.sandboxes, 2);
    assertMatch((await davit(containerd, purge)).stderr, /with 0 tasks, 2 sandboxes, 0 containers, /);

    const removed = await sb("remove", "a", "none");
    assertEquals([removed.code, removed.stdout], [3, "a\n"]);
    assertMatch(removed.stderr, /sandbox "none" in namespace "test-\w+": .*not found\n/);
    assertEquals((await sb("remove", "none")).code, 4);
    assertEquals(await sb("remove", "none", "--ignore-missing"), { code: 0, stdout: "", stderr: "" });
    assertEquals((await sb("remove", "b")).stdout, "b\n");
    assertEquals(await Array.fromAsync(sandboxes.list()), []);
  },
  { series: ["1.7", "2"], fresh: true },
);

realTest("sandboxes remove ends what runs", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  await startSandbox(containerd, namespace, "pod");
  assertEquals((await davit(containerd, ["-n", namespace, "sandboxes", "remove", "pod"])).stdout, "pod\n");
  while ((await shimsOf(namespace)).length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
}, { series: ["1.7"] });

realTest("sandboxes remove leaves what it cannot end, unless --force", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  await using client = await connect({ address: containerd.address });
  const { sandboxes } = client.namespace(namespace);
  await sandboxes.create({ id: "pod", runtime: "io.containerd.runc.v2" });
  const refusing = async (options: SocketOptions) =>
    meddled(await openSocket(options), ({ method }) => {
      if (!method.endsWith("Controller/Stop")) return;
      const [action, resource] = ["stop", 'sandbox "pod"'];
      throw containerdError({ code: "unknown", reason: "it hangs", outcome: "refused", action, resource });
    });
  const remove = async (...flags: string[]) => {
    const io = new CapturedIo();
    const argv = ["--address", containerd.address, "-n", namespace, "sb", "rm", "pod", ...flags];
    return { code: await run(argv, io, { connect: refusing }), stdout: io.stdout, stderr: io.stderr };
  };
  const refused = await remove();
  assertEquals([refused.code, refused.stdout], [1, ""]);
  assertMatch(refused.stderr, /Cannot stop sandbox "pod": it hangs/);
  const forced = await remove("--force");
  assertEquals([forced.code, forced.stdout], [0, "pod\n"]);
  assertMatch(forced.stderr, /Cannot stop sandbox "pod": it hangs/);
  assertEquals(await Array.fromAsync(sandboxes.list()), []);
}, { series: ["2"] });

realTest("sandboxes list says since when containerd has them", async (_t, containerd) => {
  const { code, stderr } = await davit(containerd, ["sandboxes", "list"]);
  assertEquals(code, 9);
  assertMatch(stderr, /Cannot list sandboxes in namespace "default": containerd has sandboxes since 1\.7/);
}, { series: ["1.6"] });
