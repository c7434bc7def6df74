import { assertEquals, assertRejects } from "@std/assert";
import { type NamespaceWatch, watchingNamespaces, withoutWrites } from "../../cli/restraints.ts";
import { methodsByName } from "../../lib/host.ts";
import { Client, NotFoundError, PermissionDeniedError } from "../../mod.ts";
import { CannedTransport } from "./canned_transport.ts";

Deno.test("withoutWrites() refuses exactly the methods that write", async () => {
  const sent: string[] = [];
  const transport = withoutWrites({
    unary: ({ name }) => (sent.push(name), Promise.resolve({}) as Promise<never>),
    // deno-lint-ignore require-yield -- there is nothing to say
    async *stream({ name }) {
      sent.push(name);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
  const call = { namespace: "default", action: "x" };
  for (const method of methodsByName.values()) {
    const attempt = async () => {
      if (method.kind === "unary") await transport.unary(method, {}, call);
      else await Array.fromAsync(transport.stream(method, [], call));
    };
    if (method.writes === undefined) await attempt();
    else await assertRejects(attempt, PermissionDeniedError, "--no-writes is given", method.name);
  }
  const reading = [...methodsByName.values()].filter(({ writes }) => writes === undefined);
  assertEquals(sent, reading.map(({ name }) => name));
});

function watched(watch: Partial<NamespaceWatch> = {}) {
  const announced: string[] = [];
  const transport = new CannedTransport({
    "Namespaces/List": () => ({
      namespaces: [{ name: "default", labels: {} }, { name: "k8s.io", labels: {} }],
    }),
    "Namespaces/Create": ({ namespace }) => ({ namespace }),
    "Leases/Create": ({ id }: { id: string }) => ({ lease: { id, labels: {} } }),
    "Leases/Delete": () => ({}),
  });
  const announce = (message: string) => void announced.push(message);
  const client = new Client(watchingNamespaces(transport, { refuses: false, announce, ...watch }));
  return { client, announced, calls: transport.calls };
}

Deno.test("watchingNamespaces() says once that a namespace comes into being, and names a similar one", async () => {
  const { client, announced, calls } = watched();
  await client.namespace("k8s.oi").leases.create({ id: "1" });
  await client.namespace("k8s.oi").leases.create({ id: "2" });
  await client.namespace("build").leases.create({ id: "1" });
  assertEquals(announced, [
    'Namespace "k8s.oi" does not exist yet and is created; did you mean "k8s.io"?',
    'Namespace "build" does not exist yet and is created',
  ]);
  assertEquals(calls.filter((call) => call === "Namespaces/List").length, 2);
});

Deno.test("watchingNamespaces() is silent about namespaces that exist, are created on purpose, or only lose something", async () => {
  const { client, announced } = watched();
  await client.namespace("k8s.io").leases.create({ id: "1" });
  await client.namespaces.create("new");
  await client.namespace("new").leases.create({ id: "1" });
  await client.namespace("gone").leases.delete("1");
  assertEquals(announced, []);
});

Deno.test("watchingNamespaces() refuses new namespaces on demand", async () => {
  const { client, calls } = watched({ refuses: true });
  await client.namespace("k8s.io").leases.create({ id: "1" });
  await assertRejects(
    () => client.namespace("nope").leases.create({ id: "1" }),
    NotFoundError,
    'Cannot create lease "1" in namespace "nope": no such namespace, and --no-create-namespace is given',
  );
  await assertRejects(
    () => client.namespaces.create("nope"),
    NotFoundError,
    "--no-create-namespace is given",
  );
  assertEquals(calls, ["Namespaces/List", "Leases/Create", "Namespaces/List"]);
});
