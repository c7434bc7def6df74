import type { NamespacedClient } from "../client.ts";
import {
  AlreadyExistsError,
  ContainerdError,
  containerdError,
  DeadlineExceededError,
  NotFoundError,
  OutcomeUnknownError,
} from "../errors.ts";
import type { Image } from "../images.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { layerCompression, mediaTypes } from "../oci/media_types.ts";
import { quoted } from "../oci/quoted.ts";
import { itemName, type ItemState, type ProgressReport } from "../progress.ts";
import type { Snapshots } from "../snapshots.ts";
import type { CallOptions } from "../transport/transport.ts";
import type { Rootfs, RootfsLayer } from "./rootfs.ts";
import type { UnpackedLayer, UnpackOptions } from "./unpack.ts";

/** How often to begin at the base again when snapshots vanish below the work. */
const attempts = 3;

/** The snapshot that an active one is to become: containerd looks for it before it makes a new one. */
const refLabel = "containerd.io/snapshot.ref";

/** What an {@linkcode Unpacker} works with. */
export interface UnpackWork {
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
export class Unpacker {
  readonly #client: NamespacedClient;
  readonly #snapshots: Snapshots;
  readonly #work: UnpackWork;
  /** By chain id; what was unpacked once stays so, even if it had to be done again. */
  readonly #states = new Map<string, UnpackedLayer["state"]>();

  constructor(client: NamespacedClient, work: UnpackWork) {
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

/** Whether there is a snapshot. */
export async function exists(snapshots: Snapshots, key: string, options: CallOptions): Promise<boolean> {
  try {
    await snapshots.stat(key, options);
    return true;
  } catch (error) {
    if (error instanceof NotFoundError) return false;
    throw error;
  }
}
