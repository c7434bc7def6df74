import type { NamespaceAccess, NamespacedClient } from "../client.ts";
import { mapNamespaces } from "../namespace/map.ts";
import type { CallOptions } from "../transport/transport.ts";
import { foreseeFreed, type Freed } from "./freed.ts";
import type { GraphNode, ReferenceGraph } from "./graph.ts";
import { loadGraph } from "./load.ts";

/** Content or a snapshot that nothing keeps alive: containerd collects it, sooner or later. */
export interface Garbage extends Pick<GraphNode, "kind" | "id" | "size" | "createdAt"> {
  /** The namespace that has it. */
  namespace: string;
  /** Why nothing keeps it, in words. */
  reason: string;
}

/** What the next garbage collection finds. */
export interface GarbagePlan {
  /** In all namespaces, in the order of their names. */
  garbage: Garbage[];
  /** What that comes to. */
  freed: Freed;
}

/** What became of garbage. */
export interface CollectedGarbage extends Garbage {
  /** `"kept"`: somebody has a use for it again, or holds it in a way that no list shows, as a write under way does. */
  status: "removed" | "kept";
}

/**
 * Finds what the next garbage collection finds; that is always one for all namespaces.
 *
 * ```ts
 * import { executeCollection, type NamespaceAccess, planCollection } from "davit";
 *
 * async function example(client: NamespaceAccess) {
 *   const { garbage, freed } = await planCollection(client);
 *   console.log(freed.contentBytes + freed.snapshotBytes);
 *   for await (const { id, status } of executeCollection(client, garbage)) console.log(id, status);
 * }
 * ```
 */
export async function planCollection(
  client: NamespaceAccess,
  options: CallOptions = {},
): Promise<GarbagePlan> {
  const graphs = await loadGraphs(client, options);
  return {
    garbage: graphs.flatMap(garbageOf),
    freed: await foreseeFreed(client, graphs, options),
  };
}

/** Collects garbage, once, and yields what became of each part of it. */
export async function* executeCollection(
  client: NamespaceAccess,
  garbage: readonly Garbage[],
  options: CallOptions = {},
): AsyncIterable<CollectedGarbage> {
  const [first] = garbage;
  if (first === undefined) return;
  await client.namespace(first.namespace).leases.collectGarbage(options);
  for (const [namespace, parts] of Map.groupBy(garbage, ({ namespace }) => namespace)) {
    const left = await idsLeft(client, namespace, options);
    for (const part of parts) {
      yield left.has(idOf(part))
        ? { ...part, status: "kept", reason: "something holds it by now, or holds it unseen" }
        : { ...part, status: "removed" };
    }
  }
}

/** The graphs of all namespaces, in the order of their names. */
export async function loadGraphs(
  client: NamespaceAccess,
  options: CallOptions = {},
): Promise<ReferenceGraph[]> {
  const work = (inside: NamespacedClient) => loadGraph(inside, options);
  return await Array.fromAsync(mapNamespaces(client, work, options));
}

/** What nothing keeps alive in one namespace. */
export function garbageOf(graph: ReferenceGraph): Garbage[] {
  const reached = graph.reachable();
  const lost = [...graph.nodes].filter(([key]) => !reached.has(key));
  const referrers = new Map<string, GraphNode>();
  for (const [, node] of lost) for (const key of node.references) referrers.set(key, node);
  return lost.map(([key, { kind, id, size, createdAt }]) => {
    const referrer = referrers.get(key);
    const reason = referrer === undefined
      ? "nothing refers to it"
      : `only ${referrer.kind} ${referrer.id} refers to it, which nothing keeps`;
    return { namespace: graph.namespace, kind, id, size, createdAt, reason };
  });
}

async function idsLeft(
  client: NamespaceAccess,
  namespace: string,
  options: CallOptions,
): Promise<ReadonlySet<string>> {
  if (!await client.namespaces.exists(namespace, options)) return new Set();
  const { nodes } = await loadGraph(client.namespace(namespace), options);
  return new Set([...nodes.values()].map(idOf));
}

function idOf({ kind, id }: Pick<GraphNode, "kind" | "id">): string {
  return `${kind} ${id}`;
}
