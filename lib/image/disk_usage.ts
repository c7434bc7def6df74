import type { ReferenceGraph } from "../gc/graph.ts";

/** What the content of an image takes of the disk. */
export interface ImageDiskUsage {
  /** The namespace that has the image or the content. */
  namespace: string;
  /** Absent for the content of a namespace that no image of it has. */
  image: string | undefined;
  /** How many blobs it has: documents, configs and layers. */
  blobs: number;
  /** Of blobs that nobody else has, under whatever name and in whatever namespace: they would go with it. */
  uniqueBytes: number;
  /** Of blobs that others have as well. Each is on the disk once. */
  sharedBytes: number;
}

/** What the content of all images takes, and that of no image. */
export interface ImageDiskUsageReport {
  /** By namespace and name; what belongs to no image last. */
  images: ImageDiskUsage[];
  /** Blobs that are shared count once: all content of these namespaces. */
  total: Pick<ImageDiskUsage, "blobs" | "uniqueBytes" | "sharedBytes">;
}

/**
 * Divides the content of namespaces among their images. `graphs` are those of all, of which `only` one may be asked for.
 *
 * ```ts
 * import { imageDiskUsage, loadGraphs, type NamespaceAccess } from "davit";
 *
 * async function example(client: NamespaceAccess) {
 *   const { images } = imageDiskUsage(await loadGraphs(client), { only: "k8s.io" });
 *   for (const { image, uniqueBytes } of images) console.log(image, uniqueBytes);
 * }
 * ```
 */
export function imageDiskUsage(
  graphs: readonly ReferenceGraph[],
  { only }: { only?: string | undefined } = {},
): ImageDiskUsageReport {
  const usages = graphs.flatMap(holdingsOf);
  const sizes = new Map<string, number>();
  const owners = new Map<string, number>();
  for (const { content } of usages) {
    for (const [key, size] of content) {
      sizes.set(key, size);
      owners.set(key, (owners.get(key) ?? 0) + 1);
    }
  }
  const images: ImageDiskUsage[] = [];
  const total = { blobs: 0, uniqueBytes: 0, sharedBytes: 0 };
  const counted = new Set<string>();
  for (const { namespace, image, content } of usages) {
    if (only !== undefined && namespace !== only) continue;
    const usage = { namespace, image, blobs: content.size, uniqueBytes: 0, sharedBytes: 0 };
    for (const [key, size] of content) {
      const field = owners.get(key) === 1 ? "uniqueBytes" : "sharedBytes";
      usage[field] += size;
      if (counted.has(key)) continue;
      counted.add(key);
      total.blobs++;
      total[field] += size;
    }
    images.push(usage);
  }
  return { images, total };
}

/** Who has which content, bytes by key. */
interface Holding {
  namespace: string;
  image: string | undefined;
  content: ReadonlyMap<string, number>;
}

function holdingsOf(graph: ReferenceGraph): Holding[] {
  const { namespace, nodes, roots } = graph;
  const without = new Map<string, number>();
  for (const [key, { kind, size = 0 }] of nodes) if (kind === "content") without.set(key, size);
  const images = roots.filter(({ kind }) => kind === "image").toSorted((a, b) => a.name < b.name ? -1 : 1);
  const holdings = images.map(({ name, references }): Holding => {
    const content = new Map<string, number>();
    for (const reference of references) {
      for (const [key, { kind, size = 0 }] of graph.below(reference)) {
        if (kind !== "content") continue;
        content.set(key, size);
        without.delete(key);
      }
    }
    return { namespace, image: name, content };
  });
  return without.size === 0 ? holdings : [...holdings, { namespace, image: undefined, content: without }];
}
