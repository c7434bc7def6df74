import { mapConcurrent } from "../concurrency.ts";
import type { NamespaceAccess } from "../client.ts";
import { NotFoundError } from "../errors.ts";
import type { CallOptions } from "../transport/transport.ts";
import type { GraphNode, ReferenceGraph, Root } from "./graph.ts";

/** What a garbage collection will free, in all namespaces together. */
export interface Freed {
  /** Blobs of which no namespace keeps a reference. */
  blobs: number;
  /** Bytes of those. */
  contentBytes: number;
  /** Snapshots that nothing keeps. */
  snapshots: number;
  /** Bytes of those, as their snapshotters count them. */
  snapshotBytes: number;
}

const usagesAtOnce = 8;

/**
 * What the next garbage collection will free once the roots for which `isGone` holds are deleted, with what waits to be
 * collected already. A blob is freed when the last namespace lets go of it; snapshots are never shared.
 *
 * `graphs` are those of all namespaces.
 *
 * ```ts
 * import { foreseeFreed, loadGraphs, type NamespaceAccess, type Root } from "davit";
 *
 * async function example(client: NamespaceAccess) {
 *   const isGone = ({ kind, name }: Root) => kind === "image" && name.startsWith("example.com/old/");
 *   const { contentBytes, snapshotBytes } = await foreseeFreed(client, await loadGraphs(client), { isGone });
 *   console.log(contentBytes + snapshotBytes);
 * }
 * ```
 */
export async function foreseeFreed(
  client: NamespaceAccess,
  graphs: readonly ReferenceGraph[],
  { isGone = () => false, ...options }:
    & CallOptions
    & { isGone?: (root: Root, namespace: string) => boolean } = {},
): Promise<Freed> {
  const kept = new Set<string>();
  const content = new Map<string, GraphNode>();
  const snapshots: { namespace: string; id: string }[] = [];
  for (const graph of graphs) {
    const { namespace } = graph;
    const reached = graph.reachable((root) => isGone(root, namespace));
    for (const [key, node] of graph.nodes) {
      if (node.kind === "content") content.set(key, node);
      if (node.kind === "content" && reached.has(key)) kept.add(key);
      if (node.kind === "snapshot" && !reached.has(key)) snapshots.push({ namespace, id: node.id });
    }
  }
  const freed = [...content].flatMap(([key, node]) => kept.has(key) ? [] : [node]);
  const work = ({ namespace, id }: typeof snapshots[number]) =>
    snapshotBytes(client, { namespace, id, options });
  const usages = mapConcurrent(snapshots, work, { limit: usagesAtOnce });
  return {
    blobs: freed.length,
    contentBytes: freed.reduce((sum, { size = 0 }) => sum + size, 0),
    snapshots: snapshots.length,
    snapshotBytes: (await Array.fromAsync(usages)).reduce((sum, bytes) => sum + bytes, 0),
  };
}

/** What a snapshot of a graph, `snapshotter/key`, takes itself; 0 for one that is gone. */
export async function snapshotBytes(
  client: NamespaceAccess,
  { namespace, id, options }: { namespace: string; id: string; options: CallOptions },
): Promise<number> {
  const slash = id.indexOf("/");
  try {
    const snapshots = client.namespace(namespace).snapshots(id.slice(0, slash));
    return (await snapshots.usage(id.slice(slash + 1), options)).size;
  } catch (error) {
    if (error instanceof NotFoundError) return 0; // it was collected meanwhile
    throw error;
  }
}
