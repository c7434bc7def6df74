import type { NamespacedClient } from "../client.ts";
import { mapConcurrent } from "../concurrency.ts";
import { containerdError, NotFoundError } from "../errors.ts";
import type { Image } from "../images.ts";
import { quoted } from "../oci/quoted.ts";
import { defaultSnapshotter } from "../snapshotters.ts";
import type { SnapshotUsage } from "../snapshots.ts";
import type { CallOptions } from "../transport/transport.ts";
import { readRootfs } from "./rootfs.ts";

/** What one layer of an image takes of the disk. */
export interface LayerUsage extends SnapshotUsage {
  /** Of its snapshot: the chain id. */
  key: string;
  /** Bytes of its blob, which is mostly packed. */
  contentSize: number;
  /** Of its blob. */
  digest: string;
}

/** Of which platform, and where it is unpacked. */
export interface ImageUsageOptions extends CallOptions {
  /** `linux/arm64`. Default: that of this machine, but an image without an index is taken as it is. */
  platform?: string | undefined;
  /** Default: that of the namespace's label `containerd.io/defaults/snapshotter`, or `overlayfs`. */
  snapshotter?: string | undefined;
}

const lookupsAtOnce = 8;

/**
 * What the layers of an unpacked image take of the disk, the topmost first. Layers that images have in common take it
 * once.
 *
 * ```ts
 * import { imageUsage, type NamespacedClient } from "davit";
 *
 * async function example(client: NamespacedClient) {
 *   const image = await client.images.get("docker.io/library/busybox:latest");
 *   for (const { key, size, contentSize } of await imageUsage(client, image)) console.log(key, size, contentSize);
 * }
 * ```
 *
 * @throws {FailedPreconditionError} when it is not unpacked.
 * @throws {NotFoundError} when the image has no such platform, or its manifest or config is not there.
 */
export async function imageUsage(
  client: NamespacedClient,
  image: Pick<Image, "name" | "target">,
  { platform, snapshotter, ...options }: ImageUsageOptions = {},
): Promise<LayerUsage[]> {
  const { layers } = await readRootfs(client, image, { platform, action: "show the usage of", ...options });
  const name = snapshotter ?? await defaultSnapshotter(client, options);
  const snapshots = client.snapshots(name);
  const work = async ({ chainId, descriptor: { digest, size } }: typeof layers[number]) => {
    try {
      return { key: chainId, ...await snapshots.usage(chainId, options), contentSize: size, digest };
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
      throw containerdError({
        ...error.details,
        code: "failed_precondition",
        reason: `it is not unpacked with ${name}`,
        action: "show the usage of",
        resource: `image ${quoted(image.name)}`,
      }, { cause: error });
    }
  };
  return await Array.fromAsync(mapConcurrent(layers.toReversed(), work, { limit: lookupsAtOnce }));
}
