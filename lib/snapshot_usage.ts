import { mapConcurrent } from "./concurrency.ts";
import { NotFoundError } from "./errors.ts";
import type { Snapshot, Snapshots, SnapshotUsage } from "./snapshots.ts";
import type { CallOptions } from "./transport/transport.ts";

/** A snapshot with what it takes itself, without its parents. */
export interface MeasuredSnapshot extends Snapshot, SnapshotUsage {}

/** containerd walks through the files of those that are active. */
const measuredAtOnce = 16;

/**
 * Measures snapshots, in their order; those that are gone meanwhile are left out.
 *
 * ```ts
 * import { measureSnapshots, type NamespacedClient } from "davit";
 *
 * async function example(client: NamespacedClient) {
 *   const snapshots = client.snapshots("overlayfs");
 *   for await (const { key, size } of measureSnapshots(snapshots, snapshots.list())) console.log(key, size);
 * }
 * ```
 */
export async function* measureSnapshots(
  snapshots: Snapshots,
  found: Iterable<Snapshot> | AsyncIterable<Snapshot>,
  options: CallOptions = {},
): AsyncIterable<MeasuredSnapshot> {
  const work = async (snapshot: Snapshot): Promise<MeasuredSnapshot | undefined> => {
    try {
      return { ...snapshot, ...await snapshots.usage(snapshot.key, options) };
    } catch (error) {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    }
  };
  for await (const measured of mapConcurrent(found, work, { limit: measuredAtOnce })) {
    if (measured !== undefined) yield measured;
  }
}
