import { formatReference, parseReference } from "../oci/reference.ts";
import { contentKey, type GraphPath, type ReferenceGraph } from "./graph.ts";

/** What keeps something alive in one namespace. */
export interface Keeper {
  namespace: string;
  /** What is kept: `content sha256:…`, `snapshot overlayfs/…`, `lease …`. */
  what: string;
  /** `image docker.io/library/busybox:latest`; `nothing` when it waits to be collected; of a lease, itself and until when. */
  keeper: string;
  /** What lies between, from the keeper on: `content sha256:…`. */
  way: string[];
}

/**
 * What keeps content, a snapshot, a lease, or what an image points to alive; none when the namespace has no such thing.
 * `what` is a digest, a snapshot's key with or without its snapshotter, the id of a lease, or the name of an image.
 */
export function keepersOf(graph: ReferenceGraph, what: string): Keeper[] {
  const leases = graph.roots.filter(({ kind, name }) => kind === "lease" && name === what);
  const ofLeases = leases.map(({ expiresAt }): Keeper => {
    const until = expiresAt === undefined ? "it is deleted" : expiresAt.toISOString();
    return { namespace: graph.namespace, what: `lease ${what}`, keeper: `itself, until ${until}`, way: [] };
  });
  const ofNodes = keysOf(graph, what).flatMap((key) => {
    const { kind, id } = graph.nodes.get(key)!;
    const paths = graph.pathsTo(key);
    const common = { namespace: graph.namespace, what: `${kind} ${id}` };
    if (paths.length === 0) return [{ ...common, keeper: "nothing", way: [] }];
    return paths.map((path) => ({ ...common, keeper: keeperOf(path), way: wayOf(path) }));
  });
  return [...ofLeases, ...ofNodes];
}

/** The keys of what is meant: what an image points to, content by digest, snapshots by key with or without snapshotter. */
function keysOf({ nodes, roots }: ReferenceGraph, what: string): string[] {
  const names = namesOf(what);
  const image = roots.find(({ kind, name }) => kind === "image" && names.includes(name));
  const wanted = image ? [image.references[0]!] : [contentKey(what), `snapshot ${what}`];
  const exact = wanted.filter((key) => nodes.has(key));
  if (exact.length > 0) return exact;
  return [...nodes].flatMap(([key, { kind, id }]) =>
    kind === "snapshot" && id.endsWith(`/${what}`) ? [key] : []
  );
}

/** The name itself, and what docker would take it for. */
function namesOf(what: string): string[] {
  try {
    return [what, formatReference(parseReference(what))];
  } catch {
    return [what];
  }
}

function keeperOf({ root: { kind, name } }: GraphPath): string {
  return kind === "content" || kind === "snapshot"
    ? `label containerd.io/gc.root on ${name}`
    : `${kind} ${name}`;
}

/** What lies between, in the order from the keeper on. */
function wayOf({ nodes }: GraphPath): string[] {
  return nodes.slice(0, -1).map(({ kind, id }) => `${kind} ${id}`);
}
