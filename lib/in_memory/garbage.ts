import type { NamespaceState, State } from "./state.ts";

/**
 * Deletes what nothing needs, in all namespaces. Images, leases, blobs labelled `gc.root` and writes that are going on
 * keep content; blobs keep those that their `gc.ref.content` labels name.
 *
 * @see {@link https://github.com/containerd/containerd/blob/v2.1.9/docs/garbage-collection.md}
 */
export function collectGarbage(state: State): void {
  const wanted = new Set<string>();
  for (const namespace of state.namespaces.values()) {
    expire(namespace);
    const reached = reachable(namespace);
    deleteOthers(namespace.content, reached.content);
    deleteOthers(namespace.ingests, reached.ingests);
    for (const digest of namespace.content.keys()) wanted.add(digest);
    for (const { expected } of namespace.ingests.values()) wanted.add(expected);
  }
  deleteOthers(state.blobs, wanted);
}

function expire({ leases, held, images }: NamespaceState): void {
  for (const { id, labels } of leases.values()) {
    if (!isExpired(labels)) continue;
    leases.delete(id);
    held.delete(id);
  }
  for (const { name, labels } of images.values()) if (isExpired(labels)) images.delete(name);
}

/** containerd takes what it cannot read as a time for never. */
function isExpired(labels: Readonly<Record<string, string>>): boolean {
  return Date.parse(labels["containerd.io/gc.expire"] ?? "") <= Date.now();
}

function reachable(namespace: NamespaceState): { content: Set<string>; ingests: Set<string> } {
  const { images, content, ingests, leases, held } = namespace;
  const flat = new Set<string>();
  const heldIngests = new Set<string>();
  const roots: string[] = [];
  for (const { target, labels } of images.values()) roots.push(target!.digest, ...references(labels));
  for (const { digest, labels } of content.values()) if (labels["containerd.io/gc.root"]) roots.push(digest);
  for (const { ref, unleased } of ingests.values()) if (unleased) heldIngests.add(ref);
  for (const [lease, resources] of held) {
    const isFlat = leases.get(lease)?.labels["containerd.io/gc.flat"] !== undefined;
    for (const { type, id } of resources) {
      if (type === "ingests") heldIngests.add(id);
      else if (type === "content" && isFlat) flat.add(id);
      else if (type === "content") roots.push(id);
    }
  }
  const reached = new Set<string>();
  for (let digest = roots.pop(); digest !== undefined; digest = roots.pop()) {
    if (reached.has(digest)) continue;
    reached.add(digest);
    roots.push(...references(content.get(digest)?.labels ?? {}));
  }
  return { content: reached.union(flat), ingests: heldIngests };
}

function references(labels: Readonly<Record<string, string>>): string[] {
  return Object.entries(labels)
    .filter(([key]) => /^containerd\.io\/gc\.ref\.content(\.|$)/.test(key))
    .map(([, digest]) => digest);
}

function deleteOthers(map: Map<string, unknown>, kept: ReadonlySet<string>): void {
  for (const key of map.keys()) if (!kept.has(key)) map.delete(key);
}
