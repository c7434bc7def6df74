import { assertEquals } from "@std/assert";
import { connect, contentKey, keepersOf, loadGraph } from "davit";
import { importWithCtr, manyImages, ociArchive } from "../../real/images.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { randomBlob } from "../some_blob.ts";

realTest("loadGraph() heeds the labels of sandboxes as the collector does", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const inside = client.namespace(uniqueNamespace());
  const { content, leases, sandboxes } = inside;
  const { digest, bytes } = await randomBlob(1_000);
  const root = "containerd.io/gc.root";
  await content.ingest({ ref: "pod", labels: { [root]: "x" } }, ReadableStream.from([bytes]));
  const labels = { "containerd.io/gc.ref.content.pod": digest };
  await sandboxes.create({ id: "pod", runtime: "io.containerd.runc.v2", labels });
  await sandboxes.create({ id: "other", runtime: "io.containerd.runc.v2" });
  await content.update(digest, { labels: { [root]: "" } });

  const isKept = containerd.release.series === "2";
  const graph = await loadGraph(inside);
  assertEquals(graph.roots.map(({ kind, name }) => [kind, name]), isKept ? [["sandbox", "pod"]] : []);
  assertEquals(graph.reachable().has(contentKey(digest)), isKept);
  await leases.collectGarbage();
  assertEquals(await content.find(digest) !== undefined, isKept);
}, { series: ["1.7", "2"], collecting: "on request" });

realTest("loadGraph() knows which images expire, and which a lease keeps", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const inside = client.namespace(uniqueNamespace());
  const { content, images, leases, name: namespace } = inside;
  const [over, leased, later] = await manyImages({ count: 3, seed: 77, sharedLayers: 0 });
  await importWithCtr(containerd, namespace, ociArchive([over!, leased!, later!]));
  const expires = async ({ name }: { name: string }, inMs: number) => {
    const time = new Date(Date.now() + inMs).toISOString().replace(/\.\d+/, "");
    await images.update({ name, labels: { "containerd.io/gc.expire": time } });
  };
  await leases.create({ id: "mine" });
  if (containerd.release.series === "2") {
    await leases.addResource("mine", { id: leased!.name, type: "images" });
    await expires(leased!, -60_000);
  }
  await expires(over!, -60_000);
  await expires(later!, 3_600_000);

  const graph = await loadGraph(inside);
  const [digest] = over!.blobs.keys();
  const keepers = keepersOf(graph, digest!).map(({ keeper }) => keeper);
  assertEquals(keepers, [containerd.release.series === "2" ? "nothing" : `image ${over!.name}`]);
  assertEquals(keepersOf(graph, over!.name).map(({ keeper }) => keeper), keepers);
  const kept = [...graph.reachable().keys()].sort();
  await leases.collectGarbage();
  const left = await Array.fromAsync(content.list(), ({ digest }) => contentKey(digest));
  assertEquals(left.sort(), kept);
}, { collecting: "on request" });
