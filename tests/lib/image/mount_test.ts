import { assertEquals, assertRejects } from "@std/assert";
import {
  connect,
  FailedPreconditionError,
  imageUsage,
  type Mount,
  mountImage,
  type NamespacedClient,
  NotFoundError,
  unmountImage,
} from "davit";
import { importWithCtr, ociArchive, randomImage } from "../../real/images.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";

realTest("mountImage() holds what it mounts, and nothing when that fails", async (_t, containerd) => {
  await using connection = await connect({ address: containerd.address });
  const client = connection.namespace(uniqueNamespace());
  const images = [await randomImage({ seed: 7000 }), await randomImage({ seed: 7001 })] as const;
  await importWithCtr(containerd, client.name, ociArchive([...images]));
  const target = "/nowhere/in particular";
  const made: [readonly Mount[], string][] = [];
  const mount = (...arguments_: [readonly Mount[], string]) => {
    made.push(arguments_);
    return Promise.resolve();
  };
  const failing = () => Promise.reject(new Error("no room"));
  const attempt = mountImage(client, images[0], { target, mount: failing });
  await assertRejects(() => attempt, Error, "no room");
  assertEquals(await held(client), { leases: [], snapshots: [] });

  const { chainId, snapshotter } = await mountImage(client, images[0], { target, mount, writable: true });
  await client.leases.collectGarbage();
  const snapshots = [{ key: target, parent: chainId, kind: "active" }];
  assertEquals(await held(client), { leases: [target], snapshots });
  assertEquals(made, [[await client.snapshots(snapshotter).mounts(target), target]]);

  // What is there stays as it is, whatever goes wrong with it later.
  for (const [image, writable] of [[images[1], true], [images[0], false]] as const) {
    const other = () => mountImage(client, image, { target, mount, writable });
    await assertRejects(other, FailedPreconditionError, "remove that first");
  }
  const again = mountImage(client, images[0], { target, mount: failing, writable: true });
  await assertRejects(() => again, Error, "no room");
  assertEquals(await held(client), { leases: [target], snapshots });
  await unmountImage(client, target);
  assertEquals(await held(client), { leases: [], snapshots: [] });
  await assertRejects(
    () => unmountImage(client, target),
    NotFoundError,
    `Cannot remove the mount "${target}" in namespace "${client.name}": no image was mounted there`,
  );
});

realTest("mountImage() lets go of what it mounted when its time is over", async (_t, containerd) => {
  await using connection = await connect({ address: containerd.address });
  const client = connection.namespace(uniqueNamespace());
  const image = await randomImage({ seed: 7002 });
  await importWithCtr(containerd, client.name, ociArchive([image]));
  await mountImage(client, image, { target: "/t", expiresInMs: 1_000, mount: () => Promise.resolve() });
  const deadline = Date.now() + 60_000;
  while ((await held(client)).leases.length > 0 && Date.now() < deadline) {
    await client.leases.collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assertEquals(await held(client), { leases: [], snapshots: [] });
}, { series: ["2"] });

realTest("imageUsage() counts a snapshot for each layer, the topmost first", async (_t, containerd) => {
  await using connection = await connect({ address: containerd.address });
  const client = connection.namespace(uniqueNamespace());
  const image = await randomImage({ seed: 7003, layers: 3, layerBytes: 100_000 });
  await importWithCtr(containerd, client.name, ociArchive([image]));
  await assertRejects(
    () => imageUsage(client, image),
    FailedPreconditionError,
    `Cannot show the usage of image "${image.name}" in namespace "${client.name}": it is not unpacked with overlayfs`,
  );
  await mountImage(client, image, { target: "/t", mount: () => Promise.resolve() });
  const layers = await imageUsage(client, image);
  const { parent } = await client.snapshots("overlayfs").stat("/t");
  assertEquals(layers[0]!.key, parent);
  for (const { key, size, inodes, digest, contentSize } of layers) {
    assertEquals({ size, inodes }, await client.snapshots("overlayfs").usage(key));
    assertEquals(contentSize, image.blobs.get(digest)!.length);
  }
  assertEquals(layers.length, 3);
}, { series: ["2"] });

/** What is there but images and what they are unpacked to. */
async function held(client: NamespacedClient) {
  const leases = await Array.fromAsync(client.leases.list(), ({ id }) => id);
  const snapshots = await Array.fromAsync(
    client.snapshots("overlayfs").list({ filters: ["kind==active", "kind==view"] }),
    ({ key, parent, kind }) => ({ key, parent, kind }),
  );
  return { leases, snapshots };
}
