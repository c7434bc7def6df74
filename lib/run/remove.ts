import type { NamespacedClient } from "../client.ts";
import { containerdError, NotFoundError } from "../errors.ts";
import { quoted } from "../oci/quoted.ts";
import type { Task } from "../tasks.ts";
import type { CallOptions } from "../transport/transport.ts";
import { deleteProcess, isShimGone } from "./deletion.ts";
import { removeFifos } from "./fifos.ts";

/** What to remove along with it. */
export interface RemoveOptions extends CallOptions {
  /** End it first if it runs. */
  force?: boolean | undefined;
}

const SIGKILL = 9;

/**
 * Removes a task that has ended or was never started, and its pipes.
 *
 * ```ts
 * import { type NamespacedClient, removeTask, startTask } from "davit";
 *
 * async function example(client: NamespacedClient) {
 *   await removeTask(client, "web", { force: true });
 *   await startTask(client, "web"); // the same container, begun anew
 * }
 * ```
 *
 * @throws {NotFoundError} when the container has none.
 * @throws {FailedPreconditionError} when it runs, unless it is forced to end.
 */
export async function removeTask(
  client: NamespacedClient,
  containerId: string,
  { force = false, ...options }: RemoveOptions = {},
): Promise<void> {
  const { tasks } = client;
  const task = await tasks.get(containerId, options);
  if (!hasEnded(task)) {
    if (!force) throw running(client, { task, action: "remove", resource: `task ${quoted(containerId)}` });
    await ignoringMissing(ignoringShimGone(tasks.kill({ containerId, signal: SIGKILL, all: true }, options)));
    await ignoringMissing(ignoringShimGone(tasks.wait(containerId, options)));
  }
  await deleteProcess(client, { containerId, ...options });
  await removeFifos(task.io);
}

/**
 * Removes a container with its task and its snapshot.
 *
 * ```ts
 * import { type NamespacedClient, removeContainer } from "davit";
 *
 * async function example(client: NamespacedClient) {
 *   for await (const { id } of client.containers.list({ filters: ["labels.job==nightly"] })) {
 *     await removeContainer(client, id, { force: true });
 *   }
 * }
 * ```
 *
 * @throws {NotFoundError} when there is none of that id.
 * @throws {FailedPreconditionError} when its task runs, unless it is forced to end.
 */
export async function removeContainer(
  client: NamespacedClient,
  id: string,
  { force = false, keepSnapshot = false, ...options }: RemoveOptions & {
    keepSnapshot?: boolean | undefined;
  } = {},
): Promise<void> {
  const [{ snapshotter, snapshotKey }, task] = await Promise.all([
    client.containers.get(id, options),
    ignoringMissing(client.tasks.get(id, options)),
  ]);
  // containerd would remove it under a running task, which nobody could reach any more.
  if (task && !hasEnded(task) && !force) {
    throw running(client, { task, action: "remove", resource: `container ${quoted(id)}` });
  }
  if (task) await ignoringMissing(removeTask(client, id, { force, ...options }));
  await client.containers.delete(id, options);
  if (snapshotKey === "" || keepSnapshot) return;
  await ignoringMissing(client.snapshots(snapshotter).remove(snapshotKey, options));
}

function hasEnded({ status }: Task): boolean {
  return status === "stopped" || status === "created";
}

function running(
  { name }: NamespacedClient,
  { task: { status, pid }, action, resource }: { task: Task; action: string; resource: string },
): Error {
  const reason = resource.startsWith("task ") ? `it is ${status}` : `its task is ${status}`;
  return containerdError({
    code: "failed_precondition",
    reason: `${reason}, as process ${pid}`,
    outcome: "refused",
    action,
    resource,
    namespace: name,
  });
}

/** `undefined` for what is gone, which may have been somebody else's work. */
async function ignoringMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}

/** `undefined` where the shim ended before it answered, for whoever else deletes the task. */
async function ignoringShimGone<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isShimGone(error)) return undefined;
    throw error;
  }
}
