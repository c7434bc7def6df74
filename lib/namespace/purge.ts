import type { NamespaceAccess, NamespacedClient } from "../client.ts";
import { FailedPreconditionError, NotFoundError } from "../errors.ts";
import { isExpired, type Lease } from "../leases.ts";
import { loadedSnapshotters, snapshotCounts } from "../snapshotters.ts";
import type { Snapshots } from "../snapshots.ts";
import type { CallOptions } from "../transport/transport.ts";
import { type Ending, endSandboxes, endTasks, outlived } from "./end.ts";
import { removeGroup } from "./groups.ts";
import { deleteLeases, drain, inTheWay, removalFailure, unlessGone } from "./removal.ts";
import { type NamespaceUsage, namespaceUsage } from "./usage.ts";

/** What a namespace holds that a purge would end and remove. */
export interface PurgePlan extends NamespaceUsage {
  /** What would be removed. */
  namespace: string;
  /** How many snapshots, of all snapshotters. */
  snapshots: number;
  /** How many blobs that are being written, or were not written to their end. */
  ingests: number;
  /** Leases that have not expired: somebody may be at work. */
  liveLeases: string[];
}

/** How to purge. */
export interface PurgeOptions extends CallOptions {
  /** How long tasks may take to end after SIGTERM before they are killed, in milliseconds. Default 10,000. */
  graceMs?: number | undefined;
  /** Also when somebody holds a lease. */
  deleteLeases?: boolean | undefined;
  /** Also a namespace that belongs to Kubernetes, docker or buildkit, or is everybody's default. */
  allowProtected?: boolean | undefined;
}

/** What became of a namespace. */
export interface PurgeResult {
  /** What was to be removed. */
  namespace: string;
  /** `"reappeared"`: it was removed, and something made it again at once. */
  status: "removed" | "reappeared";
  /** How often it took to begin anew because something wrote into it. */
  rounds: number;
}

const protectedNames: ReadonlySet<string> = new Set(["buildkit", "default", "k8s.io", "moby"]);

const rounds = 5;
const graceDefaultMs = 10_000;

/**
 * Counts what a purge would remove.
 *
 * ```ts
 * import { type NamespaceAccess, planPurge, purgeNamespace } from "davit";
 *
 * async function example(client: NamespaceAccess) {
 *   const { images, tasks, liveLeases } = await planPurge(client, "old");
 *   console.log(images, tasks);
 *   if (liveLeases.length === 0) await purgeNamespace(client, "old");
 * }
 * ```
 *
 * @throws {NotFoundError} when there is no such namespace.
 */
export async function planPurge(
  client: NamespaceAccess,
  name: string,
  options: CallOptions = {},
): Promise<PurgePlan> {
  if (!(await client.namespaces.exists(name, options))) {
    throw removalFailure(name, { code: "not_found", reason: "not found" });
  }
  const inside = client.namespace(name);
  const [usage, snapshots, leases, ingests] = await Promise.all([
    namespaceUsage(inside, options),
    snapshotCounts(inside, options),
    Array.fromAsync(inside.leases.list(options)),
    Array.fromAsync(inside.content.listStatuses(options)),
  ]);
  return {
    namespace: name,
    ...usage,
    snapshots: Object.values(snapshots).reduce((sum, count) => sum + count, 0),
    ingests: ingests.length,
    liveLeases: liveOf(leases),
  };
}

/**
 * Removes a namespace with all that it holds: ends its tasks and sandboxes, deletes containers, images, leases, snapshots,
 * ingests and content, then the namespace, and its control group if that is on this machine. Every step may have been
 * done already, so that a purge that broke off goes on.
 *
 * @throws {NotFoundError} when there is no such namespace.
 * @throws {FailedPreconditionError} when it is protected, a lease is in the way, or something fills it faster than it
 * can be emptied.
 */
export async function purgeNamespace(
  client: NamespaceAccess,
  name: string,
  { graceMs = graceDefaultMs, deleteLeases: mayDeleteLeases = false, allowProtected = false, ...options }:
    PurgeOptions = {},
): Promise<PurgeResult> {
  const { liveLeases } = await planPurge(client, name, options);
  if (protectedNames.has(name) && !allowProtected) {
    throw removalFailure(name, {
      code: "failed_precondition",
      reason: "it is protected, since much depends on it",
    });
  }
  if (liveLeases.length > 0 && !mayDeleteLeases) throw inTheWay(name, liveLeases);
  const inside = client.namespace(name);
  const round = await emptied(client, inside, { graceMs, mayDeleteLeases, options });
  const status = await client.namespaces.exists(name, options) ? "reappeared" : "removed";
  if (status === "removed") await removeGroup(name);
  return { namespace: name, status, rounds: round };
}

/** Empties and deletes a namespace, again while somebody writes into it; resolves to how often. */
async function emptied(client: NamespaceAccess, inside: NamespacedClient, work: Work): Promise<number> {
  for (let round = 1;; round++) {
    await endTasks(inside, work);
    await endSandboxes(inside, work);
    await deleteRecords(inside, work);
    await deleteRest(inside, work);
    const refusal = await refusalOf(client.namespaces.delete(inside.name, work.options));
    if (refusal === undefined && !await outlived(inside, work.options)) return round;
    if (round < rounds) continue;
    const reason = "something begins in it again and again";
    throw refusal ?? removalFailure(inside.name, { code: "failed_precondition", reason });
  }
}

/** Why containerd does not delete a namespace: it is not empty. */
async function refusalOf(deletion: Promise<unknown>): Promise<FailedPreconditionError | undefined> {
  try {
    await deletion;
  } catch (error) {
    if (error instanceof FailedPreconditionError) return error;
    if (!(error instanceof NotFoundError)) throw error;
  }
}

interface Work extends Ending {
  mayDeleteLeases: boolean;
}

/** What users made; then what only that needed is collected. */
async function deleteRecords(inside: NamespacedClient, { mayDeleteLeases, options }: Work): Promise<void> {
  const { containers, images, leases } = inside;
  await drain(containers.list(options), ({ id }) => unlessGone(containers.delete(id, options)));
  await drain(images.list(options), ({ name }) => unlessGone(images.delete(name, options)));
  const held = await Array.fromAsync(leases.list(options));
  const live = liveOf(held); // also those of whoever has begun to work since we looked
  if (live.length > 0 && !mayDeleteLeases) throw inTheWay(inside.name, live);
  await deleteLeases(inside, held.map(({ id }) => id), options);
  await leases.collectGarbage(options);
}

/** What the collector leaves: snapshots and content that a label keeps, and what is half written. */
async function deleteRest(inside: NamespacedClient, { options }: Work): Promise<void> {
  const { content } = inside;
  for (const snapshotter of await loadedSnapshotters(inside.introspection, options)) {
    await deleteSnapshots(inside.snapshots(snapshotter), options);
  }
  await drain(content.listStatuses(options), ({ ref }) => unlessGone(content.abort(ref, options)));
  await drain(content.list(options), ({ digest }) => unlessGone(content.delete(digest, options)));
}

/** A snapshot can go when no other has it for its parent. */
async function deleteSnapshots(snapshots: Snapshots, options: CallOptions): Promise<void> {
  let left = await Array.fromAsync(snapshots.list(options));
  while (left.length > 0) {
    const parents = new Set(left.map(({ parent }) => parent));
    const leaves = left.filter(({ key }) => !parents.has(key));
    if (leaves.length === 0) return; // somebody is making new ones
    await drain(leaves, ({ key }) => unlessGone(snapshots.remove(key, options)));
    left = left.filter(({ key }) => parents.has(key));
  }
}

/** The ids of the leases that have not expired. */
function liveOf(leases: readonly Lease[]): string[] {
  return leases.flatMap((lease) => isExpired(lease) ? [] : [lease.id]);
}
