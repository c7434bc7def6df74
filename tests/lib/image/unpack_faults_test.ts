import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { connect, ContainerdError, importImages, type NamespacedClient, unpackImage } from "davit";
import { Containerd } from "../../real/containerd.ts";
import { Disk } from "../../real/disk.ts";
import { buildImage } from "../../real/image_builder.ts";
import { type Image, ociArchive, randomImage } from "../../real/images.ts";
import { buildLayer, randomLayer } from "../../real/layers.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";

realTest("unpackImage() gives the room back when the disk is full", async (_t, { release }) => {
  await using disk = await Disk.make("48m");
  await using containerd = await Containerd.start(release, { root: `${disk.path}/c` });
  await using connection = await connect({ address: containerd.address });
  const client = connection.namespace("default");
  const small = await randomImage({ seed: 6000 });
  const large = await largeImage(80 << 20);
  await importImages(client, ociArchive([small, large]));
  const before = await disk.free();
  const error = await assertRejects(() => unpackImage(client, large), ContainerdError);
  assertStringIncludes(error.message, "no space left on device");
  assertStringIncludes(error.message, 'in namespace "default"');
  await assertNothingOpen(client);
  await client.leases.collectGarbage();
  assertEquals(await keysIn(client), []);
  assert(await disk.free() > before - (8 << 20), `${before} bytes were free, now ${await disk.free()}`);
  assertEquals((await unpackImage(client, small)).layers.map(({ state }) => state), ["unpacked", "unpacked"]);
});

realTest("unpackImage() never leaves a half layer when containerd is killed", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const image = await largeImage(120 << 20);
  {
    await using connection = await connect({ address: containerd.address });
    await importImages(connection.namespace(namespace), ociArchive([image]));
    let killed = false;
    const unpacking = unpackImage(connection.namespace(namespace), image, {
      onProgress({ items = [] }) {
        const isLarge = items.some(({ state, total = 0 }) => state === "unpacking" && total > 100_000);
        if (killed || !isLarge) return;
        killed = true;
        setTimeout(() => containerd.kill(), 30);
      },
    });
    await assertRejects(() => unpacking, ContainerdError);
    await containerd.exited();
  }
  await containerd.restart();
  await using connection = await connect({ address: containerd.address });
  const client = connection.namespace(namespace);
  const committed = client.snapshots("overlayfs").list({ filters: ["kind==committed"] });
  const before = await Array.fromAsync(committed, ({ key }) => key);
  const { layers, chainId } = await unpackImage(client, image);
  assertEquals(before, [layers[0]!.chainId]); // the base was done
  assertEquals(layers.map(({ state }) => state), ["exists", "unpacked"]);
  assert((await client.snapshots("overlayfs").usage(chainId)).size >= 120 << 20);
  // The lease of the one that was cut off holds until its day is over.
  for await (const { id } of client.leases.list()) await client.leases.delete(id, { sync: true });
  assertEquals((await keysIn(client)).sort(), layers.map(({ chainId }) => chainId).sort());
}, { fresh: true });

/** A small layer and one of so many zeros. */
async function largeImage(bytes: number): Promise<Image> {
  const zeros = await buildLayer({
    entries: [{ header: { name: "zeros", size: bytes }, body: new Uint8Array(bytes) }],
  });
  return await buildImage({ name: "example.com/large:1", layers: [await randomLayer(1_000, 6100), zeros] });
}

async function keysIn(client: NamespacedClient): Promise<string[]> {
  return await Array.fromAsync(client.snapshots("overlayfs").list(), ({ key }) => key);
}

async function assertNothingOpen(client: NamespacedClient): Promise<void> {
  assertEquals(await Array.fromAsync(client.leases.list(), ({ id }) => id), []);
  const active = client.snapshots("overlayfs").list({ filters: ["kind==active"] });
  assertEquals(await Array.fromAsync(active, ({ key }) => key), []);
}
