import type { NamespaceAccess, NamespacedClient } from "../client.ts";
import { mapConcurrent } from "../concurrency.ts";
import type { NewContainer } from "../containers.ts";
import {
  AlreadyExistsError,
  DeadlineExceededError,
  FailedPreconditionError,
  NotFoundError,
} from "../errors.ts";
import { isExpired } from "../leases.ts";
import { knownSandboxes, type Sandbox } from "../sandboxes.ts";
import { loadedSnapshotters, snapshotCounts } from "../snapshotters.ts";
import type { Snapshots } from "../snapshots.ts";
import type { Task, Tasks } from "../tasks.ts";
import type { CallOptions } from "../transport/transport.ts";
import { removeGroup } from "./groups.ts";
import { deleteLeases, inTheWay, removalFailure, unlessGone } from "./removal.ts";
import { type NamespaceUsage, namespaceUsage } from "./usage.ts";

/** What a namespace holds that a purge would end and remove. */
export interface PurgePlan extends NamespaceUsage {
  namespace: string;
  snapshots: number;
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
  namespace: string;
  /** `"reappeared"`: it was removed, and something made it again at once. */
  status: "removed" | "reappeared";
  /** How often it took to begin anew because something wrote into it. */
  rounds: number;
}

const protectedNames: ReadonlySet<string> = new Set(["buildkit", "default", "k8s.io", "moby"]);

const rounds = 5;
const deletionsAtOnce = 8;
const graceDefaultMs = 10_000;

/** How long a task may take to end after SIGKILL, in milliseconds: the kernel may be busy with its files. */
const killMs = 30_000;

const sigterm = 15;
const sigkill = 9;

/** Counts what a purge would remove. @throws {NotFoundError} when there is no such namespace. */
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
    liveLeases: leases.flatMap((lease) => isExpired(lease) ? [] : [lease.id]),
  };
}

/**
 * Removes a namespace with all that it holds: ends its tasks and sandboxes, deletes containers, images, leases, snapshots,
 * ingests and content, then the namespace, and its control group if that is on this machine. Every step may have been done already, so that a purge that broke off goes on.
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
  const round = await emptied(client, inside, { graceMs, options });
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

/** Whether something is there that containerd does not look for when it deletes a namespace: what began meanwhile. */
async function outlived(inside: NamespacedClient, options: CallOptions): Promise<boolean> {
  for await (const _ of inside.tasks.list(options)) return true;
  for await (const _ of knownSandboxes(inside, options)) return true;
  return false;
}

interface Work {
  graceMs: number;
  options: CallOptions;
}

async function endTasks(inside: NamespacedClient, { graceMs, options }: Work): Promise<void> {
  const ids = new Set(await Array.fromAsync(inside.containers.list(options), ({ id }) => id));
  const work = async (task: Task) => {
    // Without the record of its container containerd does not find a task; one to delete it by will do.
    if (!ids.has(task.id)) await unlessThere(inside.containers.create(placeholder(task.id), options));
    await unlessGone(endTask(inside, { task, graceMs, options }));
  };
  await drain(inside.tasks.list(options), work);
}

async function endTask(
  { tasks }: NamespacedClient,
  { task: { id, status }, graceMs, options }: Work & { task: Task },
): Promise<void> {
  if (status !== "stopped" && status !== "created") {
    // A paused task takes SIGTERM only when it goes on.
    const isGentle = status === "running" && graceMs > 0;
    if (isGentle) await unlessGone(tasks.kill({ containerId: id, signal: sigterm }, options));
    if (!isGentle || !(await hasEnded(tasks, id, { ...options, timeoutMs: graceMs }))) {
      await unlessGone(tasks.kill({ containerId: id, signal: sigkill, all: true }, options));
      await hasEnded(tasks, id, { ...options, timeoutMs: killMs });
    }
  }
  await tasks.delete(id, options);
}

async function endSandboxes(inside: NamespacedClient, { options }: Work): Promise<void> {
  const { sandboxes } = inside;
  const work = async (sandbox: Sandbox) => {
    await sandboxes.stop(sandbox, options);
    await unlessGone(sandboxes.delete(sandbox.id, options));
  };
  await drain(knownSandboxes(inside, options), work);
}

async function hasEnded(tasks: Tasks, id: string, options: CallOptions): Promise<boolean> {
  try {
    await tasks.wait(id, options);
    return true;
  } catch (error) {
    if (error instanceof DeadlineExceededError) return false;
    throw error;
  }
}

/** What users made; then what only that needed is collected. */
async function deleteRecords(inside: NamespacedClient, { options }: Work): Promise<void> {
  const { containers, images, leases } = inside;
  await drain(containers.list(options), ({ id }) => unlessGone(containers.delete(id, options)));
  await drain(images.list(options), ({ name }) => unlessGone(images.delete(name, options)));
  await deleteLeases(inside, await Array.fromAsync(leases.list(options), ({ id }) => id), options);
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

async function drain<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  for await (const _ of mapConcurrent(items, work, { limit: deletionsAtOnce })) {
    /* only to wait for them */
  }
}

async function unlessThere(creation: Promise<unknown>): Promise<void> {
  await creation.catch((error) => {
    if (!(error instanceof AlreadyExistsError)) throw error;
  });
}

/** The record of a container that was deleted under its task. */
function placeholder(id: string): NewContainer {
  return { id, runtime: "io.containerd.runc.v2", spec: { ociVersion: "1.0.2" } };
}
