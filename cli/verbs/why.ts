import {
  contentKey,
  formatReference,
  type GraphPath,
  loadGraph,
  mapNamespaces,
  type NamespacedClient,
  parseReference,
  type ReferenceGraph,
} from "../../mod.ts";
import { CliError } from "../errors.ts";
import { defineVerb } from "../verb.ts";

interface Row {
  namespace: string;
  /** What keeps it: `image docker.io/library/busybox:latest`; `nothing` when it waits to be collected. */
  keeper: string;
  /** How: `index sha256:… > manifest sha256:…`. */
  way: string[];
  what: string;
}

export default defineVerb({
  summary: "Say what keeps content, a snapshot, a lease or what an image points to alive, in all namespaces",
  examples: ["why sha256:9ae9…", "why overlayfs/my-container", "why busybox", "why davit-pull-2f0c…"],
  args: [{
    name: "WHAT",
    summary: "digest, snapshot (SNAPSHOTTER/KEY or key), image, or lease",
    completes: "content",
  }],
  columns: [
    { header: "NAMESPACE", key: "namespace" },
    { header: "KEPT BY", key: "keeper" },
    { header: "OVER", key: "way", as: "list" },
    { header: "WHAT", key: "what", wide: true },
  ],
  async *run({ args: [what = ""], client, signal }): AsyncIterable<Row> {
    const connection = await client();
    let isThere = false;
    const work = async (inside: NamespacedClient) => rowsOf(await loadGraph(inside, { signal }), what);
    for await (const rows of mapNamespaces(connection, work, { signal })) {
      isThere ||= rows.length > 0;
      yield* rows;
    }
    if (!isThere) {
      throw new CliError(`Cannot say what keeps ${JSON.stringify(what)}: no namespace has it`, {
        code: "not_found",
        hint: "WHAT is a digest, a snapshot's key, the full name of an image, or the id of a lease",
      });
    }
  },
});

function rowsOf(graph: ReferenceGraph, what: string): Row[] {
  const leases = graph.roots.filter(({ kind, name }) => kind === "lease" && name === what);
  const ofLeases = leases.map(({ expiresAt }): Row => {
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
