import { assertEquals } from "@std/assert";
import { connect, contentKey, loadGraph } from "davit";
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
