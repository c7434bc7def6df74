import { assertEquals } from "@std/assert";
import { connect, mapNamespaces, namespaceUsage, snapshotCounts } from "davit";
import { busyboxImage, importWithCtr, ociArchive, randomImage } from "../../real/images.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";

realTest("namespaceUsage() and snapshotCounts() count what there is", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const namespace = uniqueNamespace();
  const inside = client.namespace(namespace);
  const nothing = { images: 0, containers: 0, tasks: 0, blobs: 0, leases: 0, sandboxes: 0, bytes: 0 };
  assertEquals(await namespaceUsage(inside), nothing);
  assertEquals(await snapshotCounts(inside), {});
  assertEquals(await client.namespaces.exists(namespace), false, "counting must not create a namespace");

  const images = [await busyboxImage(), await randomImage({ layers: 3 })];
  await importWithCtr(containerd, namespace, ociArchive(images.slice(0, 1)), { unpack: true });
  await importWithCtr(containerd, namespace, ociArchive(images.slice(1)));
  await inside.leases.create({ id: "one" });
  await containerd.ctr(["run", "--detach", images[0]!.name, "sleeper", "sleep", "600"], { namespace });
  await containerd.ctr(["containers", "create", images[0]!.name, "idle"], { namespace });
  const blobs = images.flatMap((image) => [...image.blobs.values()]);
  assertEquals(await namespaceUsage(inside), {
    images: 2,
    containers: 2,
    tasks: 1,
    blobs: blobs.length,
    leases: 1,
    sandboxes: 0,
    bytes: blobs.reduce((sum, bytes) => sum + bytes.length, 0),
  });
  assertEquals(await snapshotCounts(inside), { overlayfs: 3 });
});

realTest("mapNamespaces() yields in the order of the names", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const prefix = uniqueNamespace();
  const names = Array.from({ length: 12 }, (_, i) => `${prefix}-${String(i).padStart(2, "0")}`);
  for (const name of names.toReversed()) await client.namespaces.create(name, { labels: { name } });
  let running = 0;
  let most = 0;
  const rows = mapNamespaces(client, async (inside, { labels }) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, inside.name.endsWith("0") ? 20 : 1));
    running--;
    return { name: inside.name, label: labels.name };
  });
  const ours = (await Array.fromAsync(rows)).filter(({ name }) => name.startsWith(prefix));
  assertEquals(ours, names.map((name) => ({ name, label: name })));
  assertEquals(most, 4);
});
