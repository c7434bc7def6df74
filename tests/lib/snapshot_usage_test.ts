import { assertEquals } from "@std/assert";
import { connect, measureSnapshots } from "davit";
import { importWithCtr, ociArchive, randomImage } from "../real/images.ts";
import { realTest, uniqueNamespace } from "../real/test.ts";

realTest("measureSnapshots() keeps the order, and leaves out what is gone", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  await importWithCtr(containerd, namespace, ociArchive([await randomImage({ layers: 3 })]), {
    unpack: true,
  });
  await using client = await connect({ address: containerd.address });
  const snapshots = client.namespace(namespace).snapshots("overlayfs");
  const found = await Array.fromAsync(snapshots.list());
  const gone = { ...found[0]!, key: "gone" };
  const measured = await Array.fromAsync(measureSnapshots(snapshots, [gone, ...found.toReversed()]));
  const usage = { size: 65_536, inodes: 2 };
  assertEquals(measured, found.toReversed().map((snapshot) => ({ ...snapshot, ...usage })));
}, { series: ["2"] });
