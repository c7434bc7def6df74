import type { NamespacedClient } from "../client.ts";
import { formatReference, parseReference } from "../oci/reference.ts";
import type { CallOptions } from "../transport/transport.ts";
import { contentKey, type GraphPath, type ReferenceGraph, type Root } from "./graph.ts";
import { staleIngests } from "./ingests.ts";

/** What keeps something alive in one namespace. */
export interface Keeper {
  /** The namespace in which that is so. */
  namespace: string;
  /** What is kept: `content sha256:…`, `snapshot overlayfs/…`, `lease …`. */
  what: string;
  /** `image example.com/app:1`; `nothing` when it waits to be collected; of a record, itself and until when. */
  keeper: string;
  /** What lies between, from the keeper on: `content sha256:…`. */
  way: string[];
}

/**
 * What keeps content, a snapshot, a lease, a container, or what an image points to alive; none when the namespace has no
 * such thing. `what` is a digest, a snapshot's key with or without its snapshotter, the id of a lease or a container, or
 * the name of an image.
 *
 * ```ts
 * import { keepersOf, loadGraph } from "davit";
 * import { assertEquals, InMemoryContainerd } from "davit/testing";
 *
 * const images = [{ name: "example.com/app:1" }];
 * await using client = new InMemoryContainerd({ namespaces: { build: { images } } }).client();
 * const [kept] = keepersOf(await loadGraph(client.namespace("build")), "example.com/app:1");
 * assertEquals(kept?.keeper, "image example.com/app:1");
 * ```
 */
export function keepersOf(graph: ReferenceGraph, what: string): Keeper[] {
  const { namespace, nodes, roots } = graph;
  const names = namesOf(what);
  const ofRecords = roots.filter((root) => isRecord(root, { names, nodes }))
    .map(({ kind, name, expiresAt, expired }): Keeper => {
      const until = expiresAt === undefined ? "it is deleted" : expiresAt.toISOString();
      const keeper = expired ? "nothing" : `itself, until ${until}`;
      return { namespace, what: `${kind} ${name}`, keeper, way: [] };
    });
  const ofNodes = keysOf(graph, names).flatMap((key) => {
    const { kind, id } = nodes.get(key)!;
    const paths = graph.pathsTo(key);
    const common = { namespace, what: `${kind} ${id}` };
    if (paths.length === 0) return [{ ...common, keeper: "nothing", way: [] }];
    return paths.map((path) => ({ ...common, keeper: keeperOf(path), way: wayOf(path) }));
  });
  return [...ofRecords, ...ofNodes];
}

/** What keeps a blob alive that is being written, or was not written to its end; none when no such one has that ref. */
export async function keepersOfIngest(
  client: NamespacedClient,
  ref: string,
  options: CallOptions = {},
): Promise<Keeper[]> {
  const ingests = (await staleIngests(client, { olderThanMs: 0, ...options })).filter((ingest) =>
    ingest.ref === ref
  );
  return ingests.map(({ lease }) => ({
    namespace: client.name,
    what: `ingest ${ref}`,
    keeper: lease === undefined ? "itself, until a day after somebody last opened it" : `lease ${lease}`,
    way: [],
  }));
}

/**
 * The whole digests for which an abbreviated one can stand, with or without its algorithm and with four hexadecimal
 * digits at least: of content, and of snapshots that have one for their key.
 */
export function digestsLike({ nodes }: ReferenceGraph, what: string): string[] {
  const [, algorithm, digits] = /^(?:([a-z0-9]+):)?([0-9a-f]{4,})$/.exec(what) ?? [];
  if (digits === undefined) return [];
  const digests = new Set<string>();
  for (const { kind, id } of nodes.values()) {
    const digest = kind === "content" ? id : id.slice(id.indexOf("/") + 1);
    const [, itsAlgorithm, itsDigits] = /^([a-z0-9]+):([0-9a-f]+)$/.exec(digest) ?? [];
    const isMeant = algorithm === undefined || algorithm === itsAlgorithm;
    if (isMeant && itsDigits?.startsWith(digits)) digests.add(digest);
  }
  return [...digests];
}

/** Whether it is a record of one of these names that keeps itself: whoever made it deletes it. */
function isRecord(
  { kind, name, references }: Root,
  { names, nodes }: { names: readonly string[]; nodes: ReferenceGraph["nodes"] },
): boolean {
  if (kind === "image") return names.includes(name) && !nodes.has(references[0]!);
  return (kind === "lease" || kind === "container" || kind === "sandbox") && name === names[0];
}

/** The keys of what is meant: what an image points to, content by digest, snapshots by key with or without snapshotter. */
function keysOf({ nodes, roots }: ReferenceGraph, names: readonly string[]): string[] {
  const [what = ""] = names;
  const image = roots.find(({ kind, name }) => kind === "image" && names.includes(name));
  const wanted = image ? [image.references[0]!] : [contentKey(what), `snapshot ${what}`];
  const exact = wanted.filter((key) => nodes.has(key));
  if (exact.length > 0 || image) return exact;
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
