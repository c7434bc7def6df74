import type { NamespacedClient } from "../client.ts";
import { mapConcurrent } from "../concurrency.ts";
import { NotFoundError } from "../errors.ts";
import { isContainerd2 } from "../introspection.ts";
import { expiryOf, isExpired, type Lease } from "../leases.ts";
import { knownSandboxes } from "../sandboxes.ts";
import { loadedSnapshotters } from "../snapshotters.ts";
import type { CallOptions } from "../transport/transport.ts";
import { contentKey, type GraphNode, ReferenceGraph, type Root, snapshotKey } from "./graph.ts";
import { contentReferences, snapshotReferences } from "./references.ts";

const leasesAtOnce = 8;

/** The label that makes content or a snapshot a root, whatever its value. */
const rootLabel = "containerd.io/gc.root";

/** The label of leases that keep what they name and nothing else. */
const flatLabel = "containerd.io/gc.flat";

/**
 * Reads what keeps what alive in a namespace. Something that is being written meanwhile may be missing; it has its
 * writer's lease.
 *
 * ```ts
 * import { contentKey, loadGraph, type NamespacedClient } from "davit";
 *
 * async function example(client: NamespacedClient, digest: string) {
 *   const graph = await loadGraph(client);
 *   for (const { root } of graph.pathsTo(contentKey(digest))) console.log(root.kind, root.name);
 * }
 * ```
 */
export async function loadGraph(
  client: NamespacedClient,
  options: CallOptions = {},
): Promise<ReferenceGraph> {
  const nodes = new Map<string, GraphNode>();
  const roots: Root[] = [];
  await Promise.all([
    readContent(client, { nodes, roots, options }),
    readSnapshots(client, { nodes, roots, options }),
  ]);
  const [images, containers, sandboxes] = await Promise.all(
    [imageRoots, containerRoots, sandboxRoots].map((list) => list(client, options)),
  );
  const leases = await leaseRoots(client, { images: images!, options });
  const heeded = await asCollected(client, { images: images!, sandboxes: sandboxes!, options });
  roots.push(...heeded, ...containers!, ...leases);
  return new ReferenceGraph(client.name, { nodes, roots });
}

interface Reading {
  nodes: Map<string, GraphNode>;
  roots: Root[];
  options: CallOptions;
}

async function readContent(client: NamespacedClient, { nodes, roots, options }: Reading): Promise<void> {
  for await (const { digest, size, labels, createdAt } of client.content.list(options)) {
    const key = contentKey(digest);
    nodes.set(key, { kind: "content", id: digest, size, createdAt, references: referencesOf(labels) });
    if (labels[rootLabel]) roots.push({ kind: "content", name: digest, references: [key], flat: false });
  }
}

async function readSnapshots(client: NamespacedClient, { nodes, roots, options }: Reading): Promise<void> {
  for (const snapshotter of await loadedSnapshotters(client.introspection, options)) {
    for await (
      const { key: name, parent, labels, createdAt } of client.snapshots(snapshotter).list(options)
    ) {
      const key = snapshotKey(snapshotter, name);
      const id = `${snapshotter}/${name}`;
      const parents = parent === "" ? [] : [snapshotKey(snapshotter, parent)];
      const references = [...parents, ...referencesOf(labels)];
      nodes.set(key, { kind: "snapshot", id, size: undefined, createdAt, references });
      if (labels[rootLabel]) roots.push({ kind: "snapshot", name: id, references: [key], flat: false });
    }
  }
}

async function imageRoots({ images }: NamespacedClient, options: CallOptions): Promise<Root[]> {
  return await Array.fromAsync(images.list(options), ({ name, target, labels }): Root => {
    const references = [contentKey(target.digest), ...referencesOf(labels)];
    return { kind: "image", name, references, flat: false, ...(isExpired({ labels }) && { expired: true }) };
  });
}

async function containerRoots({ containers }: NamespacedClient, options: CallOptions): Promise<Root[]> {
  return await Array.fromAsync(
    containers.list(options),
    ({ id, snapshotter, snapshotKey: key, labels }): Root => {
      const own = snapshotter === "" || key === "" ? [] : [snapshotKey(snapshotter, key)];
      return { kind: "container", name: id, references: [...own, ...referencesOf(labels)], flat: false };
    },
  );
}

async function sandboxRoots(client: NamespacedClient, options: CallOptions): Promise<Root[]> {
  return await Array.fromAsync(
    knownSandboxes(client, options),
    ({ id, labels }): Root => ({ kind: "sandbox", name: id, references: referencesOf(labels), flat: false }),
  );
}

/**
 * The images and sandboxes as the collector of this containerd sees them: before 2.0 images do not expire, and the labels
 * of sandboxes are not heeded.
 */
async function asCollected(
  client: NamespacedClient,
  { images, sandboxes, options }: {
    images: readonly Root[];
    sandboxes: readonly Root[];
    options: CallOptions;
  },
): Promise<Root[]> {
  const keeping = sandboxes.filter(({ references }) => references.length > 0);
  if (keeping.length === 0 && !images.some(({ expired }) => expired)) return [...images];
  const { version } = await client.introspection.version(options);
  return isContainerd2(version) ? [...images, ...keeping] : images.map(({ expired: _, ...root }) => root);
}

async function leaseRoots(
  { leases }: NamespacedClient,
  { images, options }: { images: readonly Root[]; options: CallOptions },
): Promise<Root[]> {
  const referencesOfImages = new Map(images.map(({ name, references }) => [name, references]));
  const alive = (await Array.fromAsync(leases.list(options))).filter((lease) => !isExpired(lease));
  const rootOf = async (lease: Lease): Promise<Root> => {
    const { id, labels } = lease;
    const resources = await Array.fromAsync(leases.listResources(id, options)).catch((error) => {
      if (error instanceof NotFoundError) return []; // it ended meanwhile
      throw error;
    });
    const expiresAt = expiryOf(lease);
    const flat = labels[flatLabel] !== undefined;
    const references = resources.flatMap(({ id, type }) => {
      if (type !== "images") return keyOfResource(type, id) ?? [];
      return (referencesOfImages.get(id) ?? []).slice(0, flat ? 1 : undefined);
    });
    return { kind: "lease", name: id, references, flat, ...(expiresAt && { expiresAt }) };
  };
  return await Array.fromAsync(mapConcurrent(alive, rootOf, { limit: leasesAtOnce }));
}

function keyOfResource(type: string, id: string): string | undefined {
  if (type === "content") return contentKey(id);
  const [, snapshotter] = /^snapshots\/(.+)$/.exec(type) ?? [];
  return snapshotter === undefined ? undefined : snapshotKey(snapshotter, id);
}

/** The keys of what labels refer to. */
function referencesOf(labels: Readonly<Record<string, string>>): string[] {
  return [
    ...contentReferences(labels).map(contentKey),
    ...snapshotReferences(labels).map(({ snapshotter, key }) => snapshotKey(snapshotter, key)),
  ];
}
