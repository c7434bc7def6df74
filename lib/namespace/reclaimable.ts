import type { NamespaceAccess } from "../client.ts";
import { mapConcurrent } from "../concurrency.ts";
import { snapshotBytes } from "../gc/freed.ts";
import { loadGraphs } from "../gc/garbage.ts";
import type { ReferenceGraph, Root } from "../gc/graph.ts";
import { planPrune, type PruneRequest } from "../image/prune.ts";
import type { CallOptions } from "../transport/transport.ts";

/** What of the disk could be free. */
export interface Reclaimable {
  /** What nothing refers to: the next garbage collection frees it. */
  garbageBytes: number;
  /** That, and what `planPrune` finds no use for: images without a container, with their snapshots. */
  unusedBytes: number;
}

/** What of the disk could be free, by namespace and of all together. */
export interface ReclaimableReport {
  /** By name. */
  namespaces: ReadonlyMap<string, Reclaimable>;
  /** Of all together, where a blob that several have counts once. */
  total: Reclaimable;
}

/** Content or a snapshot, and what becomes of it in the namespaces that have it. */
interface Part {
  bytes: number;
  holders: Holder[];
}

interface Holder {
  namespace: string;
  /** It outlives the next collection. */
  kept: boolean;
  /** It outlives the one after the unused images are gone. */
  used: boolean;
}

const usagesAtOnce = 16;

/**
 * Finds what of the disk could be free. A blob that several namespaces have is free when the last one lets go of it: it
 * counts for a namespace if the others have let go already, and in the total if all together can.
 *
 * ```ts
 * import { findReclaimable, type NamespaceAccess } from "davit";
 *
 * async function example(client: NamespaceAccess) {
 *   const { namespaces, total } = await findReclaimable(client);
 *   for (const [name, { unusedBytes }] of namespaces) console.log(name, unusedBytes);
 *   console.log(total.garbageBytes);
 * }
 * ```
 */
export async function findReclaimable(
  client: NamespaceAccess,
  { minAgeMs, ...options }: CallOptions & Pick<PruneRequest, "minAgeMs"> = {},
): Promise<ReclaimableReport> {
  const { decisions } = await planPrune(client, { unused: true, minAgeMs, ...options });
  const going = decisions.filter(({ action }) => action === "remove");
  const unused = new Set(going.map(({ namespace, image }) => JSON.stringify([namespace, image.name])));
  const graphs = await loadGraphs(client, options);
  const parts = await partsOf(client, { graphs, unused, options });

  const nothing = (): Reclaimable => ({ garbageBytes: 0, unusedBytes: 0 });
  const namespaces = new Map(graphs.map(({ namespace }) => [namespace, nothing()]));
  const total = nothing();
  for (const { bytes, holders } of parts) {
    const isGarbage = holders.every(({ kept }) => !kept);
    if (isGarbage) total.garbageBytes += bytes;
    if (holders.every(({ used }) => !used)) total.unusedBytes += bytes;
    for (const holder of holders) {
      const reclaimable = namespaces.get(holder.namespace)!;
      if (isGarbage) reclaimable.garbageBytes += bytes;
      const isLast = holders.every((other) => other === holder || !other.kept);
      if (isLast && !holder.used) reclaimable.unusedBytes += bytes;
    }
  }
  return { namespaces, total };
}

async function partsOf(
  client: NamespaceAccess,
  { graphs, unused, options }: {
    graphs: readonly ReferenceGraph[];
    unused: ReadonlySet<string>;
    options: CallOptions;
  },
): Promise<Part[]> {
  const blobs = new Map<string, Part>();
  const snapshots: { id: string; holder: Holder }[] = [];
  for (const graph of graphs) {
    const { namespace, nodes } = graph;
    const isUnused = ({ kind, name }: Root) =>
      kind === "image" && unused.has(JSON.stringify([namespace, name]));
    const [kept, used] = [graph.reachable(), graph.reachable(isUnused)];
    for (const [key, { kind, id, size = 0 }] of nodes) {
      const holder = { namespace, kept: kept.has(key), used: used.has(key) };
      if (kind === "content") {
        const part = blobs.get(key) ?? { bytes: size, holders: [] };
        part.holders.push(holder);
        blobs.set(key, part);
      } else if (!holder.used) snapshots.push({ id, holder });
    }
  }
  const work = async ({ id, holder }: typeof snapshots[number]): Promise<Part> => ({
    bytes: await snapshotBytes(client, { namespace: holder.namespace, id, options }),
    holders: [holder],
  });
  return [
    ...blobs.values(),
    ...await Array.fromAsync(mapConcurrent(snapshots, work, { limit: usagesAtOnce })),
  ];
}
