import { assertEquals, assertRejects } from "@std/assert";
import { connect, ContainerdError } from "davit";
import { Client } from "../../lib/client.ts";
import { mapConcurrent } from "../../lib/concurrency.ts";
import { traced, type TracedCall } from "../../lib/transport/trace.ts";
import type { Containerd } from "../real/containerd.ts";
import { realTest, uniqueNamespace } from "../real/test.ts";
import { openOver } from "./both_transports.ts";
import { someImage } from "./some_image.ts";

/** 300 KB, so that 16 MiB are soon reached. */
const labels = Object.fromEntries(Array.from({ length: 75 }, (_, at) => [`l${at}`, "x".repeat(4000)]));
const enough = 60;

realTest("images.list() is complete above the 16 MiB of a message", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const namespaced = client.namespace(uniqueNamespace());
  const names = Array.from({ length: enough }, (_, at) => `example.com/team/app-${at + 1000}:latest`);
  await create(names, { containerd, namespace: namespaced.name });
  const listed = await Array.fromAsync(namespaced.images.list());
  assertEquals(listed.map(({ name }) => name), names);
  assertEquals(listed[0], await namespaced.images.get(names[0]!));

  await namespaced.images.update({ name: names[7]!, labels: { l0: "" } });
  const namesBy = async (...filters: string[]) =>
    (await Array.fromAsync(namespaced.images.list({ filters }))).map(({ name }) => name);
  assertEquals(await namesBy("labels.l0", `name==${JSON.stringify(names[7]!)}`), names);
  assertEquals(await namesBy("labels.l0", "name==none"), names.toSpliced(7, 1));
  assertEquals(await namesBy("", "name==none"), names);
});

realTest(
  "containers.list() is complete above the 16 MiB of a message",
  async (_t, containerd) => {
    await using client = await connect({ address: containerd.address });
    const { containers } = client.namespace(uniqueNamespace());
    const ids = Array.from({ length: enough }, (_, at) => `app-${at + 1000}`);
    const work = (id: string) =>
      containers.create({ id, runtime: "io.containerd.runc.v2", spec: { ociVersion: "1.1.0" }, labels });
    await Array.fromAsync(mapConcurrent(ids, work, { limit: 16 }));
    const listed = await Array.fromAsync(containers.list());
    assertEquals(listed.map(({ id }) => id), ids);
    assertEquals(listed[0], await containers.get(ids[0]!));
    const filters = ["labels.l0,id!=app-1007"];
    const filtered = await Array.fromAsync(containers.list({ filters }));
    assertEquals(filtered.map(({ id }) => id), ids.toSpliced(7, 1));
  },
);

realTest("images.list() makes one call where one will do", async (_t, containerd) => {
  const calls: TracedCall[] = [];
  const transport = traced(await openOver("http2", containerd.address), (call) => calls.push(call));
  await using client = new Client(transport);
  const namespace = uniqueNamespace();
  await create(["a", "b"], { containerd, namespace });
  assertEquals((await Array.fromAsync(client.namespace(namespace).images.list())).length, 2);
  assertEquals(calls.map(({ method }) => method), ["containerd.services.images.v1.Images/List"]);
}, { series: ["2"] });

realTest(
  "images.list() divides what is too large again, and fails where it cannot",
  async (_t, containerd) => {
    await using client = await connect({ address: containerd.address });
    const [close, equal] = [uniqueNamespace("close"), uniqueNamespace("equal")];
    const named = (text: string) => Array.from({ length: enough }, (_, at) => text.repeat(at + 1));
    await create(named("y"), { containerd, namespace: close }); // the first two divisions do not count this
    const listed = await Array.fromAsync(client.namespace(close).images.list());
    assertEquals(listed.map(({ name }) => name), named("y"));
    await create(named("-"), { containerd, namespace: equal }); // and none looks at this
    const { images } = client.namespace(equal);
    const error = await assertRejects(() => Array.fromAsync(images.list()), ContainerdError);
    assertEquals(error.code, "resource_exhausted");
  },
  { series: ["2"] },
);

async function create(
  names: readonly string[],
  { containerd, namespace }: { containerd: Containerd; namespace: string },
): Promise<void> {
  await using client = await connect({ address: containerd.address });
  const { images } = client.namespace(namespace);
  const work = (name: string) => images.create({ ...someImage(name), labels });
  await Array.fromAsync(mapConcurrent(names, work, { limit: 16 }));
}
