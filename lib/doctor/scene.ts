import type { NamespaceAccess, NamespacedClient } from "../client.ts";
import type { Container } from "../containers.ts";
import { type StaleIngest, staleIngests } from "../gc/ingests.ts";
import type { ReferenceGraph } from "../gc/graph.ts";
import { type JudgedLease, judgeLeases } from "../gc/leases.ts";
import { loadGraph } from "../gc/load.ts";
import type { Image } from "../images.ts";
import type { RecoverOptions } from "../lease_recovery.ts";
import { defaultGroups } from "../namespace/groups.ts";
import { mapNamespaces } from "../namespace/map.ts";
import { knownSandboxes, type Sandbox } from "../sandboxes.ts";
import { loadedSnapshotters } from "../snapshotters.ts";
import type { Task } from "../tasks.ts";
import type { CallOptions } from "../transport/transport.ts";
import type { Finding } from "./finding.ts";

/** One look for what is wrong. */
export type Check = (scene: Scene) => Iterable<Finding> | AsyncIterable<Finding>;

/** How to look. */
export interface DiagnoseOptions extends CallOptions, Pick<RecoverOptions, "isAlive"> {
  /** The path of containerd's socket. */
  address: string;
  /** Look into this namespace only. Default: into all. */
  only?: string | undefined;
  /** How long a write must have rested to count as given up, in milliseconds. Default: a day. */
  staleMs?: number | undefined;
  /** What is younger may be just coming into being, in milliseconds. Default: a minute. */
  youngMs?: number | undefined;
  /** Where the kernel shows processes. Default: `/proc`. */
  processes?: string | undefined;
  /** Where the kernel shows control groups. Default: `/sys/fs/cgroup`. */
  groups?: string | undefined;
}

/** What the checks look at. */
export interface Scene {
  client: NamespaceAccess;
  namespaces: readonly NamespaceScene[];
  /** The snapshotters that containerd has and that work. */
  snapshotters: readonly string[];
  /** As in {@linkcode DiagnoseOptions}, this and what follows. */
  address: string;
  youngMs: number;
  processes: string;
  groups: string;
  options: CallOptions;
}

/** What the checks look at of one namespace. */
export interface NamespaceScene {
  name: string;
  inside: NamespacedClient;
  labels: Readonly<Record<string, string>>;
  graph: ReferenceGraph;
  images: readonly Image[];
  containers: readonly Container[];
  tasks: readonly Task[];
  sandboxes: readonly Sandbox[];
  leases: readonly JudgedLease[];
  /** Also those that are being written. */
  ingests: number;
  stale: readonly StaleIngest[];
}

const dayMs = 24 * 60 * 60 * 1000;
const minuteMs = 60_000;

/** Reads what the checks look at. @throws {NotFoundError} when there is no namespace of the name in `only`. */
export async function readScene(
  client: NamespaceAccess,
  {
    address,
    only,
    isAlive,
    staleMs = dayMs,
    youngMs = minuteMs,
    processes = "/proc",
    groups = defaultGroups,
    ...options
  }: DiagnoseOptions,
): Promise<Scene> {
  if (only !== undefined) await client.namespaces.get(only, options);
  const read = async (
    inside: NamespacedClient,
    { labels }: { labels: Record<string, string> },
  ): Promise<NamespaceScene | undefined> => {
    if (only !== undefined && only !== inside.name) return undefined;
    const [graph, images, tasks, leases, ingests, stale] = await Promise.all([
      loadGraph(inside, options),
      Array.fromAsync(inside.images.list(options)),
      Array.fromAsync(inside.tasks.list(options)),
      judgeLeases(inside, { isAlive, ...options }),
      Array.fromAsync(inside.content.listStatuses(options)),
      staleIngests(inside, { olderThanMs: staleMs, ...options }),
    ]);
    const containers = await Array.fromAsync(inside.containers.list(options));
    const sandboxes = await Array.fromAsync(knownSandboxes(inside, options));
    const lists = { graph, images, containers, tasks, sandboxes, leases, ingests: ingests.length, stale };
    return { name: inside.name, inside, labels, ...lists };
  };
  const scenes = await Array.fromAsync(mapNamespaces(client, read, options));
  return {
    client,
    namespaces: scenes.filter((scene) => scene !== undefined),
    snapshotters: await loadedSnapshotters(client.introspection, options),
    address,
    youngMs,
    processes,
    groups,
    options,
  };
}
