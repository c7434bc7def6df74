import type { NamespacedClient } from "./client.ts";
import type { Introspection } from "./introspection.ts";
import type { CallOptions } from "./transport/transport.ts";

/** The snapshotters that a containerd has and that work, by name. */
export async function loadedSnapshotters(
  introspection: Introspection,
  options: CallOptions = {},
): Promise<string[]> {
  const filters = ["type==io.containerd.snapshotter.v1"];
  const plugins = await Array.fromAsync(introspection.plugins({ filters, ...options }));
  return plugins.filter(({ initError }) => initError === undefined).map(({ id }) => id).sort();
}

/**
 * The snapshotter that a namespace's label names, or else containerd's default on Linux, `overlayfs`.
 *
 * ```ts
 * import { defaultSnapshotter, type NamespacedClient } from "davit";
 *
 * async function example(client: NamespacedClient) {
 *   const snapshots = client.snapshots(await defaultSnapshotter(client));
 *   for await (const { key, kind } of snapshots.list()) console.log(key, kind);
 * }
 * ```
 */
export async function defaultSnapshotter(
  client: NamespacedClient,
  options: CallOptions = {},
): Promise<string> {
  for await (const { name, labels } of client.namespaces.list(options)) {
    if (name === client.name) return labels["containerd.io/defaults/snapshotter"] ?? "overlayfs";
  }
  return "overlayfs";
}

/** How many snapshots a namespace has of each loaded snapshotter; those of which it has none are left out. */
export async function snapshotCounts(
  client: NamespacedClient,
  options: CallOptions = {},
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const snapshotter of await loadedSnapshotters(client.introspection, options)) {
    for await (const _ of client.snapshots(snapshotter).list(options)) {
      counts[snapshotter] = (counts[snapshotter] ?? 0) + 1;
    }
  }
  return counts;
}
