import type { NamespaceAccess, NamespacedClient } from "../client.ts";
import { measureSnapshots } from "../snapshot_usage.ts";
import { loadedSnapshotters } from "../snapshotters.ts";
import type { CallOptions } from "../transport/transport.ts";
import { mapNamespaces } from "./map.ts";
import { count } from "./usage.ts";

/** What takes how many bytes of the disk. */
export interface DiskUsage {
  /** How many images. */
  images: number;
  /** How many blobs: `uniqueBytes` and `sharedBytes` are theirs. */
  blobs: number;
  /** Of blobs that one namespace alone has: they would go with it. */
  uniqueBytes: number;
  /** Of blobs that several namespaces have. Each is on the disk once. */
  sharedBytes: number;
  /** How many snapshots. */
  snapshots: number;
  /** Of all snapshotters, each snapshot without its parents. */
  snapshotBytes: number;
  /** Blobs that are being written, or were not written to their end. */
  ingests: number;
  /** What was written of those. */
  ingestBytes: number;
  /** All of these together. */
  bytes: number;
}

/** What a namespace takes of the disk. */
export interface NamespaceDiskUsage extends DiskUsage {
  /** Whose usage it is. */
  namespace: string;
}

/** What namespaces take of the disk. */
export interface DiskUsageReport {
  /** In the order of their names. */
  namespaces: NamespaceDiskUsage[];
  /** Of these namespaces together; blobs that they share count once. */
  total: DiskUsage;
}

/**
 * Measures what namespaces take of the disk; with `only`, that one, against the blobs of all. Blobs and snapshots that
 * wait to be collected count where they are still listed.
 *
 * ```ts
 * import { diskUsage, type NamespaceAccess } from "davit";
 *
 * async function example(client: NamespaceAccess) {
 *   const { namespaces, total } = await diskUsage(client);
 *   for (const { namespace, bytes } of namespaces) console.log(namespace, bytes);
 *   console.log(total.bytes);
 * }
 * ```
 *
 * @throws {NotFoundError} when there is no namespace of the name in `only`.
 */
export async function diskUsage(
  client: NamespaceAccess,
  { only, ...options }: CallOptions & { only?: string | undefined } = {},
): Promise<DiskUsageReport> {
  if (only !== undefined) await client.namespaces.get(only, options);
  const snapshotters = await loadedSnapshotters(client.introspection, options);
  const blobs = new Map<string, Blob>();
  const work = async (inside: NamespacedClient) => {
    const reported = only === undefined || only === inside.name;
    await readBlobs(inside, { blobs, options });
    return reported ? await usageBesideBlobs(inside, { snapshotters, options }) : undefined;
  };
  const usages = await Array.fromAsync(mapNamespaces(client, work, options));
  const namespaces = usages.filter((usage) => usage !== undefined);
  return { namespaces, total: addBlobs(namespaces, blobs) };
}

interface Blob {
  size: number;
  namespaces: string[];
}

async function readBlobs(
  { name, content }: NamespacedClient,
  { blobs, options }: { blobs: Map<string, Blob>; options: CallOptions },
): Promise<void> {
  for await (const { digest, size } of content.list(options)) {
    const blob = blobs.get(digest);
    if (blob === undefined) blobs.set(digest, { size, namespaces: [name] });
    else blob.namespaces.push(name);
  }
}

async function usageBesideBlobs(
  client: NamespacedClient,
  { snapshotters, options }: { snapshotters: readonly string[]; options: CallOptions },
): Promise<NamespaceDiskUsage> {
  const usage = { namespace: client.name, ...nothing() };
  usage.images = await count(client.images.list(options));
  for await (const { offset } of client.content.listStatuses(options)) {
    usage.ingests++;
    usage.ingestBytes += offset;
  }
  for (const snapshotter of snapshotters) {
    const snapshots = client.snapshots(snapshotter);
    for await (const { size } of measureSnapshots(snapshots, snapshots.list(options), options)) {
      usage.snapshots++;
      usage.snapshotBytes += size;
    }
  }
  return usage;
}

/** Adds to each namespace the blobs that it has; returns all together. */
function addBlobs(usages: readonly NamespaceDiskUsage[], blobs: ReadonlyMap<string, Blob>): DiskUsage {
  const total = nothing();
  const byName = new Map(usages.map((usage) => [usage.namespace, usage]));
  for (const { size, namespaces } of blobs.values()) {
    const reported = namespaces.flatMap((name) => byName.get(name) ?? []);
    if (reported.length === 0) continue;
    for (const usage of [...reported, total]) {
      usage.blobs++;
      if (namespaces.length === 1) usage.uniqueBytes += size;
      else usage.sharedBytes += size;
    }
  }
  for (const usage of usages) {
    for (const key of ["images", "snapshots", "snapshotBytes", "ingests", "ingestBytes"] as const) {
      total[key] += usage[key];
    }
  }
  for (const usage of [...usages, total]) {
    const { uniqueBytes, sharedBytes, snapshotBytes, ingestBytes } = usage;
    usage.bytes = uniqueBytes + sharedBytes + snapshotBytes + ingestBytes;
  }
  return total;
}

function nothing(): DiskUsage {
  return {
    images: 0,
    blobs: 0,
    uniqueBytes: 0,
    sharedBytes: 0,
    snapshots: 0,
    snapshotBytes: 0,
    ingests: 0,
    ingestBytes: 0,
    bytes: 0,
  };
}
