import type { NamespacedClient } from "../client.ts";
import { AlreadyExistsError, containerdError, NotFoundError } from "../errors.ts";
import type { Image } from "../images.ts";
import { quoted } from "../oci/quoted.ts";
import type { Mount, Snapshots } from "../snapshots.ts";
import type { CallOptions } from "../transport/transport.ts";
import { unpackImage, type UnpackOptions } from "./unpack.ts";

/** How to mount. */
export interface MountOptions extends UnpackOptions {
  /** The absolute path of an empty folder of containerd's host; also the name of the snapshot and its lease. */
  target: string;
  /** Files can be changed; the image stays as it is. */
  writable?: boolean | undefined;
  /** After that containerd may take away what is mounted, in milliseconds. Default: a day. */
  expiresInMs?: number | undefined;
  /** Makes the mounts at the target: what they need, only the program on that host can do. */
  mount(mounts: readonly Mount[], target: string): Promise<void>;
}

/** What is mounted. */
export interface MountedImage {
  /** Its name. */
  image: string;
  /** The folder; also the key of the snapshot and the id of the lease that holds it. */
  target: string;
  /** The snapshot of its topmost layer, `sha256:…`, on which the mounted one stands. */
  chainId: string;
  /** The one that has both snapshots. */
  snapshotter: string;
}

const dayMs = 24 * 60 * 60 * 1000;

/** The label of a lease that names what it holds, and by its end the snapshotter. */
const snapshotLabel = "containerd.io/gc.ref.snapshot.";

/**
 * Makes the files of an image appear in a folder, with the names that `ctr images mount` gives: each can unmount what
 * the other has mounted. A writable one that was only unmounted has its changes still when it is mounted again.
 *
 * ```ts
 * import { type Mount, mountImage, type NamespacedClient } from "davit";
 *
 * async function example(client: NamespacedClient) {
 *   const mount = async ([first]: readonly Mount[], target: string) => {
 *     const { type, source, options } = first!;
 *     const args = ["-t", type, "-o", options.join(","), source, target];
 *     if (!(await new Deno.Command("mount", { args }).spawn().status).success) throw new Error("Cannot mount");
 *   };
 *   const image = await client.images.get("docker.io/library/busybox:latest");
 *   await mountImage(client, image, { target: "/mnt/busybox", mount });
 * }
 * ```
 *
 * @throws {FailedPreconditionError} when something else was mounted there and is not removed yet.
 * @throws what {@linkcode unpackImage} throws, and `mount`.
 */
export async function mountImage(
  client: NamespacedClient,
  image: Pick<Image, "name" | "target">,
  { target, writable = false, expiresInMs = dayMs, mount, ...unpack }: MountOptions,
): Promise<MountedImage> {
  const { signal, timeoutMs } = unpack;
  const options = { signal, timeoutMs };
  const { chainId, snapshotter } = await unpackImage(client, image, unpack);
  const labels = { [`${snapshotLabel}${snapshotter}`]: target };
  const isNew = await client.leases.create({ id: target, labels, expiresInMs }, options)
    .then(() => true, (error) => {
      if (error instanceof AlreadyExistsError) return false;
      throw error;
    });
  const holder = client.withLease(target);
  try {
    const snapshots = holder.snapshots(snapshotter);
    const mounts = await mountsOf(snapshots, { target, chainId, writable, options });
    if (mounts === undefined) throw inTheWay(image.name, { target, namespace: client.name });
    await mount(mounts, target);
  } catch (error) {
    if (isNew) await unmountImage(client, target).catch(() => {});
    throw error;
  }
  return { image: image.name, target, chainId, snapshotter };
}

/**
 * Removes what {@linkcode mountImage} made for a folder from which nothing is mounted any more: the snapshot, with what
 * was changed in it, and its lease.
 *
 * ```ts
 * import { type NamespacedClient, unmountImage } from "davit";
 *
 * async function example(client: NamespacedClient) {
 *   await new Deno.Command("umount", { args: ["/mnt/busybox"] }).spawn().status;
 *   await unmountImage(client, "/mnt/busybox");
 * }
 * ```
 *
 * @throws {NotFoundError} when nothing was mounted there from this namespace.
 */
export async function unmountImage(
  client: NamespacedClient,
  target: string,
  options: CallOptions = {},
): Promise<void> {
  const leases = await Array.fromAsync(client.leases.list(options));
  const lease = leases.find(({ id }) => id === target);
  if (lease === undefined) {
    throw containerdError({
      code: "not_found",
      reason: "no image was mounted there",
      outcome: "refused",
      action: "remove the mount",
      resource: quoted(target),
      namespace: client.name,
    });
  }
  for (const label of Object.keys(lease.labels)) {
    if (!label.startsWith(snapshotLabel)) continue;
    await client.snapshots(label.slice(snapshotLabel.length)).remove(target, options).catch((error) => {
      if (!(error instanceof NotFoundError)) throw error;
    });
  }
  await client.leases.delete(target, options);
}

/** The mounts of the snapshot for a target, which may be there from before; `undefined` when it is another one. */
async function mountsOf(
  snapshots: Snapshots,
  { target, chainId, writable, options }: {
    target: string;
    chainId: string;
    writable: boolean;
    options: CallOptions;
  },
): Promise<Mount[] | undefined> {
  const snapshot = { key: target, parent: chainId };
  try {
    return writable ? await snapshots.prepare(snapshot, options) : await snapshots.view(snapshot, options);
  } catch (error) {
    if (!(error instanceof AlreadyExistsError)) throw error;
  }
  const { parent, kind } = await snapshots.stat(target, options);
  const isSame = parent === chainId && kind === (writable ? "active" : "view");
  return isSame ? await snapshots.mounts(target, options) : undefined;
}

function inTheWay(name: string, { target, namespace }: { target: string; namespace: string }): Error {
  return containerdError({
    code: "failed_precondition",
    reason: `another image, or the same in another way, was mounted at ${quoted(target)}: remove that first`,
    outcome: "refused",
    action: "mount",
    resource: `image ${quoted(name)}`,
    namespace,
  });
}
