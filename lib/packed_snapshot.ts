import type { NamespacedClient } from "./client.ts";
import type { HeldLease } from "./leases.ts";
import type { Descriptor } from "./oci/descriptor.ts";
import type { Mount, Snapshots } from "./snapshots.ts";
import type { CallOptions } from "./transport/transport.ts";

/** What to pack as a layer. */
export interface SnapshotDifference {
  /** The snapshotter of both snapshots. */
  snapshotter: string;
  /** The snapshot to pack. */
  key: string;
  /** The snapshot that has the files that are left out. Default: the parent. */
  base?: string | undefined;
  /** Default: a layer of OCI, packed with gzip. */
  mediaType?: string | undefined;
  /** Labels of the blob; with `containerd.io/gc.root` it stays. */
  labels?: Record<string, string>;
}

/** A blob that stays until it goes out of scope, or longer if something else needs it. */
export interface PackedSnapshot extends AsyncDisposable {
  /** The blob in the snapshot's namespace. */
  layer: Descriptor;
}

/**
 * Packs what a snapshot has beyond another one into a new blob, a layer.
 *
 * ```ts
 * import { type NamespacedClient, packSnapshot } from "davit";
 *
 * async function example(client: NamespacedClient) {
 *   await using packed = await packSnapshot(client, { snapshotter: "overlayfs", key: "web-1" });
 *   for await (const bytes of client.content.read(packed.layer.digest)) console.log(bytes.length);
 * }
 * ```
 *
 * @throws {NotFoundError} when there is no such snapshot.
 * @throws {InvalidArgumentError} when containerd has no such snapshotter.
 */
export async function packSnapshot(
  client: NamespacedClient,
  { snapshotter, key, base, mediaType, labels = {} }: SnapshotDifference,
  options: CallOptions = {},
): Promise<PackedSnapshot> {
  const { parent } = await client.snapshots(snapshotter).stat(key, options);
  const lease = await client.leases.acquire(
    { prefix: "davit-diff", labels: { "davit/operation": "snapshots diff" } },
    options,
  );
  try {
    const holder = client.withLease(lease.id);
    await using views = new Views(holder.snapshots(snapshotter), lease, options);
    const left = await views.of(base ?? parent);
    const right = await views.of(key);
    const ref = lease.id;
    const layer = await holder.diff.diff({ left, right, mediaType, ref, labels }, options);
    return { layer, [Symbol.asyncDispose]: () => lease[Symbol.asyncDispose]() };
  } catch (error) {
    await client.content.abort(lease.id, { timeoutMs: 10_000 }).catch(() => {}); // there may be none
    await lease[Symbol.asyncDispose]();
    throw error;
  }
}

/** The mounts of snapshots; views of those that have none are removed in the end. */
class Views implements AsyncDisposable {
  readonly #snapshots: Snapshots;
  readonly #lease: HeldLease;
  readonly #options: CallOptions;
  readonly #made: string[] = [];

  constructor(snapshots: Snapshots, lease: HeldLease, options: CallOptions) {
    this.#snapshots = snapshots;
    this.#lease = lease;
    this.#options = options;
  }

  /** Without a key, the mounts of an empty snapshot. */
  async of(key: string): Promise<Mount[]> {
    const isCommitted = key === "" || (await this.#snapshots.stat(key, this.#options)).kind === "committed";
    if (!isCommitted) return await this.#snapshots.mounts(key, this.#options);
    const view = `${this.#lease.id}-${this.#made.length}`;
    this.#made.push(view);
    return await this.#snapshots.view({ key: view, parent: key }, this.#options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const key of this.#made) await this.#snapshots.remove(key, { timeoutMs: 10_000 }).catch(() => {});
  }
}
