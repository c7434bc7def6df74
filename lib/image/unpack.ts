import type { NamespacedClient } from "../client.ts";
import {
  AlreadyExistsError,
  ContainerdError,
  containerdError,
  DeadlineExceededError,
  InvalidArgumentError,
  NotFoundError,
  OutcomeUnknownError,
} from "../errors.ts";
import type { Image } from "../images.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { layerCompression, mediaTypes } from "../oci/media_types.ts";
import { quoted } from "../oci/quoted.ts";
import { itemName, type ItemState, type Progress, ProgressReport } from "../progress.ts";
import { defaultSnapshotter, loadedSnapshotters } from "../snapshotters.ts";
import type { Snapshots } from "../snapshots.ts";
import type { CallOptions } from "../transport/transport.ts";
import { readRootfs, type Rootfs, type RootfsLayer } from "./rootfs.ts";

/** Where an image is unpacked. */
export interface UnpackResult {
  /** The snapshot of its topmost layer: the parent of a container's own. Empty for an image without layers. */
  chainId: string;
  snapshotter: string;
  /** The base first. */
  layers: UnpackedLayer[];
}

/** What became of one layer. */
export interface UnpackedLayer {
  /** Its snapshot. */
  chainId: string;
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

/** How often to begin at the base again when snapshots vanish below the work. */
const attempts = 3;

/** The snapshot that an active one is to become: containerd looks for it before it makes a new one. */
const refLabel = "containerd.io/snapshot.ref";

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

/** What an {@linkcode Unpacker} works with. */
interface Work {
  leaseId: string;
  image: Pick<Image, "name" | "target">;
  rootfs: Rootfs;
  snapshotter: string;
  syncFs: boolean | undefined;
  layerReady: UnpackOptions["layerReady"];
  report: ProgressReport;
  options: CallOptions;
}

/** Unpacks one image, with a client whose lease holds all that it makes and finds. */
class Unpacker {
  readonly #client: NamespacedClient;
  readonly #snapshots: Snapshots;
  readonly #work: Work;
  /** By chain id; what was unpacked once stays so, even if it had to be done again. */
  readonly #states = new Map<string, UnpackedLayer["state"]>();

  constructor(client: NamespacedClient, work: Work) {
    this.#client = client;
    this.#snapshots = client.snapshots(work.snapshotter);
    this.#work = work;
  }

  async unpack(): Promise<ReadonlyMap<string, UnpackedLayer["state"]>> {
    const { image, rootfs, leaseId, options } = this.#work;
    await this.#client.leases.addResource(leaseId, { id: image.target.digest, type: "content" }, options);
    for (const layer of rootfs.layers) this.#report(layer, "waiting");
    if (await this.#holds(rootfs.chainId)) {
      for (const layer of rootfs.layers) this.#settle(layer, "exists");
    } else {
      await this.#unpackLayers();
    }
    await this.#keep();
    return this.#states;
  }

  async #unpackLayers(): Promise<void> {
    for (let attempt = 1;; attempt++) {
      try {
        let parent = "";
        for (const layer of this.#work.rootfs.layers) {
          await this.#work.layerReady?.(layer.descriptor);
          this.#settle(layer, await this.#unpackLayer(layer, parent));
          parent = layer.chainId;
        }
        return;
      } catch (error) {
        if (!(error instanceof Vanished)) throw error;
        if (attempt === attempts) throw error.cause;
      }
    }
  }

  /** Makes the snapshot of a layer; nothing is left of it if that fails. */
  async #unpackLayer(layer: RootfsLayer, parent: string): Promise<UnpackedLayer["state"]> {
    const { descriptor, chainId } = layer;
    const { syncFs, options } = this.#work;
    const key = `extract-${crypto.randomUUID()} ${chainId}`;
    const labels = { [refLabel]: chainId };
    options.signal?.throwIfAborted();
    try {
      const mounts = await this.#snapshots.prepare({ key, parent, labels }, options);
      this.#report(layer, "unpacking");
      const applied = await this.#client.diff.apply({ layer: descriptor, mounts }, { syncFs, ...options });
      if (applied.digest !== layer.diffId) throw this.#wrong(layer, applied.digest);
      await this.#snapshots.commit({ name: chainId, key, labels }, options);
    } catch (error) {
      await this.#discard(key);
      return await this.#settled(error, { layer, parent });
    }
    const uncompressed = { "containerd.io/uncompressed": layer.diffId };
    await this.#client.content.update(descriptor.digest, { labels: uncompressed, ...options });
    return "unpacked";
  }

  /** What it means for a layer that a call failed: others unpack it too, and a lost answer may have been a good one. */
  async #settled(
    error: unknown,
    { layer: { chainId, descriptor }, parent }: { layer: RootfsLayer; parent: string },
  ): Promise<UnpackedLayer["state"]> {
    if (error instanceof AlreadyExistsError) {
      if (await this.#holds(chainId)) return "exists";
      throw new Vanished(error);
    }
    const method = (error as { method?: string }).method ?? "";
    if (error instanceof NotFoundError && method.endsWith("/Prepare") && parent !== "") {
      throw new Vanished(error);
    }
    const isUncertain = error instanceof OutcomeUnknownError || error instanceof DeadlineExceededError;
    if (isUncertain && method.endsWith("/Commit") && await this.#holds(chainId).catch(() => false)) {
      return "unpacked";
    }
    throw this.#explained(error, descriptor);
  }

  /** Whether there is a snapshot, which then stays. */
  async #holds(chainId: string): Promise<boolean> {
    const { leaseId, snapshotter, options } = this.#work;
    // Held before it is looked for, or it could be collected in between.
    await this.#client.leases.addResource(
      leaseId,
      { id: chainId, type: `snapshots/${snapshotter}` },
      options,
    );
    return await exists(this.#snapshots, chainId, options);
  }

  /** Lets the image hold its snapshots when the lease is gone. */
  async #keep(): Promise<void> {
    const { rootfs: { config, chainId }, snapshotter, options } = this.#work;
    const label = `containerd.io/gc.ref.snapshot.${snapshotter}`;
    const { labels } = await this.#client.content.info(config.digest, options);
    if (labels[label] === chainId) return;
    await this.#client.content.update(config.digest, { labels: { [label]: chainId }, ...options });
  }

  /** Not with the signal, which may be why; if it fails, the lease's end does the same. */
  async #discard(key: string): Promise<void> {
    await this.#snapshots.remove(key, { timeoutMs: 10_000 }).catch(() => {});
  }

  #settle(layer: RootfsLayer, state: UnpackedLayer["state"]): void {
    const before = this.#states.get(layer.chainId);
    this.#states.set(layer.chainId, before === "unpacked" ? before : state);
    this.#report(layer, state === "exists" ? state : "done");
  }

  #report({ descriptor }: RootfsLayer, state: ItemState): void {
    const { report, image: { name } } = this.#work;
    const total = descriptor.size;
    const done = state === "done" ? total : 0;
    report.items({ image: name, name: itemName(descriptor), state, done, total });
  }

  #wrong({ descriptor, diffId }: RootfsLayer, digest: string): Error {
    return containerdError({
      code: "data_loss",
      reason: `what is in it has the digest ${digest}, not ${diffId} as the image's config says`,
      outcome: "refused",
      action: "unpack",
      resource: `layer ${descriptor.digest}`,
      namespace: this.#client.name,
    });
  }

  /** An error about a layer, or a snapshot of its, that says of which image and type it is. */
  #explained(error: unknown, { digest, mediaType }: Descriptor): unknown {
    if (!(error instanceof ContainerdError)) return error;
    const isKnown = layerCompression(mediaType) !== undefined || mediaType === mediaTypes.dockerLayer;
    return containerdError({
      ...error.details,
      action: "unpack",
      resource: `layer ${digest} of image ${quoted(this.#work.image.name)}`,
      // containerd takes what it does not know for a plain archive, and then says that it is a damaged one.
      reason: isKnown ? error.reason : `${error.reason}; its type is ${quoted(mediaType)}`,
    }, { cause: error });
  }
}

/** Snapshots that the work was built on are gone. */
class Vanished extends Error {
  constructor(cause: Error) {
    super("A snapshot vanished", { cause });
  }
}

async function exists(snapshots: Snapshots, key: string, options: CallOptions): Promise<boolean> {
  try {
    await snapshots.stat(key, options);
    return true;
  } catch (error) {
    if (error instanceof NotFoundError) return false;
    throw error;
  }
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
