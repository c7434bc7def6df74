/** Content or a snapshot, as the garbage collector sees it. */
export interface GraphNode {
  /** What it is. */
  kind: "content" | "snapshot";
  /** A digest, or snapshotter and key: `overlayfs/sha256:…`. */
  id: string;
  /** Bytes of content; a snapshot's have to be asked for one by one. */
  size: number | undefined;
  /** When it came into the namespace. */
  createdAt: Date;
  /** The keys of what it keeps alive, whether that exists or not; of a snapshot first its parent. */
  references: readonly string[];
}

/** What the garbage collector starts from: all that it reaches from there stays. */
export interface Root {
  /** What it is; `content` and `snapshot` are roots by their label `containerd.io/gc.root`. */
  kind: "image" | "lease" | "container" | "sandbox" | "content" | "snapshot";
  /** Name, id, digest or `snapshotter/key`. */
  name: string;
  /** The keys of what it keeps alive. */
  references: readonly string[];
  /** It keeps what it names and the parents of snapshots, not what those refer to by labels. */
  flat: boolean;
  /** When a lease ends by itself; absent for one that does not, and for all else. */
  expiresAt?: Date;
  /** It is over, and keeps nothing any more: an image that goes with the next collection. */
  expired?: true;
}

/** How a root keeps something alive: over which nodes, the last of which is that. */
export interface GraphPath {
  /** What keeps it. */
  root: Root;
  /** Those nearest to the root first. */
  nodes: readonly GraphNode[];
}

/** What a graph is made of. */
export interface GraphParts {
  /** By {@linkcode contentKey} and {@linkcode snapshotKey}. */
  nodes: ReadonlyMap<string, GraphNode>;
  /** Expired ones among them. */
  roots: readonly Root[];
}

/** The key of content in a graph. */
export function contentKey(digest: string): string {
  return `content ${digest}`;
}

/** The key of a snapshot in a graph. */
export function snapshotKey(snapshotter: string, key: string): string {
  return `snapshot ${snapshotter}/${key}`;
}

/**
 * What keeps what alive in one namespace, by the rules of containerd's garbage collector; references never lead to
 * another namespace.
 *
 * @see {@link https://github.com/containerd/containerd/blob/main/docs/garbage-collection.md}
 */
export class ReferenceGraph implements GraphParts {
  /** The namespace. */
  readonly namespace: string;
  /** By {@linkcode contentKey} and {@linkcode snapshotKey}. */
  readonly nodes: ReadonlyMap<string, GraphNode>;
  readonly roots: readonly Root[];

  /** A graph of parts that are known; {@linkcode loadGraph} makes one of a namespace. */
  constructor(namespace: string, { nodes, roots }: GraphParts) {
    this.namespace = namespace;
    this.nodes = nodes;
    this.roots = roots;
  }

  /**
   * The nodes that a collection would leave, by key, if the roots for which `isGone` holds were not there.
   *
   * ```ts
   * import { loadGraph, type NamespacedClient } from "davit";
   *
   * async function example(client: NamespacedClient) {
   *   const graph = await loadGraph(client);
   *   const left = graph.reachable(({ kind }) => kind === "image");
   *   console.log(`${graph.nodes.size - left.size} would go with all images`);
   * }
   * ```
   */
  reachable(isGone: (root: Root) => boolean = () => false): Map<string, GraphNode> {
    const reached = new Map<string, GraphNode>();
    // The flat ones last: what they reach, another may have gone on from.
    for (const root of this.roots.toSorted((a, b) => Number(a.flat) - Number(b.flat))) {
      if (!root.expired && !isGone(root)) this.#walk(root, { reached });
    }
    return reached;
  }

  /** A node and all that it keeps alive, by key. */
  below(key: string): Map<string, GraphNode> {
    const reached = new Map<string, GraphNode>();
    this.#walk({ references: [key], flat: false }, { reached });
    return reached;
  }

  /** The shortest way on which each root keeps a node alive; none for what only waits to be collected. */
  pathsTo(key: string): GraphPath[] {
    return this.roots.filter(({ expired }) => !expired).flatMap((root) => {
      const nodes = this.#walk(root, { reached: new Map(), goal: key });
      return nodes === undefined ? [] : [{ root, nodes }];
    });
  }

  /** Adds all that a root reaches to `reached`, nearest first; stops at the goal and returns the way to it. */
  #walk(
    root: Pick<Root, "references" | "flat">,
    { reached, goal }: { reached: Map<string, GraphNode>; goal?: string },
  ): GraphNode[] | undefined {
    const waiting: { key: string; way: Way | undefined }[] = root.references.map((key) => ({
      key,
      way: undefined,
    }));
    for (let at = 0; at < waiting.length; at++) {
      const { key, way } = waiting[at]!;
      const node = this.nodes.get(key);
      if (node === undefined || reached.has(key)) continue;
      reached.set(key, node);
      const here = { node, before: way };
      if (key === goal) return nodesOf(here);
      const references = root.flat
        ? node.references.slice(0, node.kind === "snapshot" ? 1 : 0)
        : node.references;
      for (const reference of references) waiting.push({ key: reference, way: here });
    }
  }
}

/** The last node of a way, and how it was reached. */
interface Way {
  node: GraphNode;
  before: Way | undefined;
}

function nodesOf(way: Way): GraphNode[] {
  const nodes: GraphNode[] = [];
  for (let at: Way | undefined = way; at !== undefined; at = at.before) nodes.unshift(at.node);
  return nodes;
}
