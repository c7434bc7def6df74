import { assert, assertEquals, assertRejects } from "@std/assert";
import { AlreadyExistsError, connect, knownSandboxes, NotFoundError, UnimplementedError } from "davit";
import { InMemoryContainerd } from "davit/testing";
import { realTest, uniqueNamespace } from "../real/test.ts";
import { shimsOf, startSandbox } from "./some_sandbox.ts";

const runtime = "io.containerd.runc.v2";

realTest("sandboxes keeps records, which ctr sees", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const { sandboxes, name: namespace } = client.namespace(uniqueNamespace());
  assertEquals(await Array.fromAsync(sandboxes.list()), []);
  const began = Date.now();
  const created = await sandboxes.create({ id: "pod", runtime, labels: { a: "1" } });
  assertEquals([created.id, created.runtime, created.labels], ["pod", runtime, { a: "1" }]);
  assert(created.createdAt.getTime() >= began - 1 && created.createdAt.getTime() <= Date.now());
  await assertRejects(() => sandboxes.create({ id: "pod", runtime }), AlreadyExistsError);
  await sandboxes.create({ id: "other", runtime });
  assertEquals(await sandboxes.get("pod"), created);
  assertEquals(await Array.fromAsync(sandboxes.list({ filters: ["labels.a==1"] })), [created]);
  const { stdout } = await containerd.ctr(["sandboxes", "list"], { namespace });
  assertEquals(stdout.trim().split("\n").slice(1).map((line) => line.split(" ")[0]).sort(), ["other", "pod"]);
  await sandboxes.stop(created); // nothing of it runs
  await sandboxes.delete("pod");
  await assertRejects(() => sandboxes.delete("pod"), NotFoundError, 'Cannot delete sandbox "pod"');
  await assertRejects(() => sandboxes.get("pod"), NotFoundError);
  assertEquals(await Array.fromAsync(knownSandboxes({ sandboxes }), ({ id }) => id), ["other"]);
  await sandboxes.delete("other");
  await assertRejects(() => sandboxes.delete("other"), NotFoundError);
}, { series: ["1.7", "2"] });

realTest("sandboxes says that containerd 1.6 has none", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const { sandboxes } = client.namespace("default");
  await assertRejects(() => Array.fromAsync(sandboxes.list()), UnimplementedError, "since 1.7");
  assertEquals(await Array.fromAsync(knownSandboxes({ sandboxes })), []);
  await sandboxes.stop({ id: "pod", sandboxer: "" });
}, { series: ["1.6"] });

realTest("sandboxes.stop() ends the shim of one that runs", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const { sandboxes, name: namespace } = client.namespace(uniqueNamespace());
  await startSandbox(containerd, namespace, "pod");
  assertEquals((await shimsOf(namespace)).length, 1);
  await sandboxes.stop(await sandboxes.get("pod"));
  while ((await shimsOf(namespace)).length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  await sandboxes.stop(await sandboxes.get("pod"));
}, { series: ["1.7"] }); // the shims of 2.x are for tasks only

Deno.test("sandboxes of a containerd in memory are none", async () => {
  await using client = new InMemoryContainerd({ namespaces: { n: {} } }).client();
  const { sandboxes } = client.namespace("n");
  assertEquals(await Array.fromAsync(sandboxes.list()), []);
  await assertRejects(() => sandboxes.get("pod"), NotFoundError);
});
