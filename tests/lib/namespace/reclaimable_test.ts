import { assert, assertEquals } from "@std/assert";
import { connect, executePrune, findReclaimable, planPrune } from "davit";
import type { Containerd } from "../../real/containerd.ts";
import { importWithCtr, manyImages, ociArchive } from "../../real/images.ts";
import { realTest } from "../../real/test.ts";
import { randomBlob } from "../some_blob.ts";

realTest(
  "findReclaimable() says what a collection and a prune then free, to the byte",
  async (_t, containerd) => {
    const [one, two, three] = await manyImages({ count: 3, seed: 40 });
    await importWithCtr(containerd, "left", ociArchive([one!, two!]));
    await importWithCtr(containerd, "right", ociArchive([two!, three!]));
    await containerd.ctr(["images", "label", three!.name, "io.cri-containerd.pinned=pinned"], {
      namespace: "right",
    });
    await using client = await connect({ address: containerd.address });
    const blob = await randomBlob(5_000);
    const { content, leases } = client.namespace("left");
    const labels = { "containerd.io/gc.root": "x" };
    await content.ingest({ ref: "lost", labels }, ReadableStream.from([blob.bytes]));
    await content.update(blob.digest, { labels: { "containerd.io/gc.root": "" } });

    const { namespaces, total } = await findReclaimable(client, { minAgeMs: 0 });
    const before = await contentBytes(containerd);
    assertEquals([...namespaces.keys()], ["left", "right"]);
    assertEquals(total.garbageBytes, 5_000);
    assertEquals([...namespaces.values()].map(({ garbageBytes }) => garbageBytes), [5_000, 0]);
    // What both have is free in neither alone.
    const own = one!.blobs.size - [...one!.blobs.keys()].filter((digest) => two!.blobs.has(digest)).length;
    assert(own > 0 && namespaces.get("left")!.unusedBytes < total.unusedBytes);
    assertEquals(namespaces.get("right")!.unusedBytes, 0);

    await leases.collectGarbage();
    assertEquals(before - await contentBytes(containerd), total.garbageBytes);
    const plan = await planPrune(client, { unused: true, minAgeMs: 0 });
    await Array.fromAsync(executePrune(client, plan));
    assertEquals(before - await contentBytes(containerd), total.unusedBytes);
  },
  { series: ["2"], fresh: true, collecting: "on request" },
);

async function contentBytes({ contentDir }: Containerd): Promise<number> {
  let bytes = 0;
  for await (const { name } of Deno.readDir(`${contentDir}/sha256`)) {
    bytes += (await Deno.stat(`${contentDir}/sha256/${name}`)).size;
  }
  return bytes;
}
