import type { NamespacedClient } from "../client.ts";
import { containerdError, InvalidArgumentError } from "../errors.ts";
import type { Image } from "../images.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { quoted } from "../oci/quoted.ts";
import { type Progress, ProgressReport } from "../progress.ts";
import { defaultSnapshotter, loadedSnapshotters } from "../snapshotters.ts";
import type { CallOptions } from "../transport/transport.ts";
import { readRootfs } from "./rootfs.ts";
import { exists, Unpacker } from "./unpack_layers.ts";

/** Where an image is unpacked. */
export interface UnpackResult {
  /** The snapshot of its topmost layer: the parent of a container's own. Empty for an image without layers. */
  chainId: string;
  /** The snapshotter that has the snapshots: `overlayfs`. */
  snapshotter: string;
  /** The base first. */
  layers: UnpackedLayer[];
}

/** What became of one layer. */
export interface UnpackedLayer {
  /** Its snapshot. */
  chainId: string;
  /** `"exists"`: its snapshot was there before, or somebody else was faster. */
  state: "unpacked" | "exists";
}

/** How to unpack. */
export interface UnpackOptions extends CallOptions {
  /** `linux/arm64`. Default: that of this machine, but an image without an index is taken as it is. */
  platform?: string | undefined;
  /** Default: that of the namespace's label `containerd.io/defaults/snapshotter`, or `overlayfs`. */
  snapshotter?: string | undefined;
  /** Wait after each layer until its files are on the disk (containerd 2.0 and later). */
  syncFs?: boolean | undefined;
  /** Waited for before a layer is unpacked: its content may still be on its way. */
  layerReady?: ((layer: Descriptor) => Promise<unknown>) | undefined;
  /** Called with each layer, and the bytes of layers that have been unpacked. */
  onProgress?: ((state: Progress) => void) | undefined;
}

/**
 * Unpacks the layers of an image into snapshots, from which containers start. containerd does the unpacking; each layer
 * is compared with the digest that the image's config has for it. Layers that are unpacked already stay as they are, and
 * for as long as the image is there its snapshots are kept from collection.
 *
 * ```ts
 * import { type NamespacedClient, unpackImage } from "davit";
 *
 * async function example(client: NamespacedClient) {
 *   const image = await client.images.get("docker.io/library/busybox:latest");
 *   const { snapshotter, chainId } = await unpackImage(client, image);
 *   return await client.snapshots(snapshotter).stat(chainId);
 * }
 * ```
 *
 * @throws {NoSuchPlatformError} when the image is for other platforms only.
 * @throws {NotFoundError} when content of the image is not there.
 * @throws {InvalidArgumentError} when containerd has no such snapshotter.
 * @throws {SyntaxError} when a document or the platform is malformed, or what is in the image are no layers.
 * @throws {ContainerdError} `data_loss` when a layer is not the one that the config means.
 */
export async function unpackImage(
  client: NamespacedClient,
  image: Pick<Image, "name" | "target">,
  { platform, snapshotter, syncFs, layerReady, onProgress, ...options }: UnpackOptions = {},
): Promise<UnpackResult> {
  const name = snapshotter ?? await defaultSnapshotter(client, options);
  const rootfs = await readRootfs(client, image, { platform, action: "unpack", ...options });
  const { chainId, layers } = rootfs;
  if (chainId === "") return { chainId, snapshotter: name, layers: [] };
  // A snapshotter that is not there is noticed before anything is written.
  await exists(client.snapshots(name), chainId, options)
    .catch((error) => explain(error, { client, snapshotter: name, options }));
  const labels = { "davit/operation": "images unpack" };
  await using lease = await client.leases.acquire({ prefix: "davit-unpack", labels }, options);
  const unpacker = new Unpacker(client.withLease(lease.id), {
    ...{ leaseId: lease.id, image, rootfs, snapshotter: name, syncFs, layerReady, options },
    report: new ProgressReport("unpacking", onProgress),
  });
  const states = await unpacker.unpack();
  return {
    chainId,
    snapshotter: name,
    layers: layers.map(({ chainId }) => ({ chainId, state: states.get(chainId)! })),
  };
}

/** Says which snapshotters there are when one is asked for that is not. */
async function explain(
  error: unknown,
  { client, snapshotter, options }: { client: NamespacedClient; snapshotter: string; options: CallOptions },
): Promise<never> {
  if (!(error instanceof InvalidArgumentError)) throw error;
  const loaded = await loadedSnapshotters(client.introspection, options);
  if (loaded.includes(snapshotter)) throw error;
  const reason = `${error.reason}; containerd has ${loaded.join(", ") || "none"}`;
  throw containerdError(
    { ...error.details, reason, action: "use", resource: `snapshotter ${quoted(snapshotter)}` },
    {
      cause: error,
    },
  );
}
