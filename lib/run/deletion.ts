import type { NamespacedClient } from "../client.ts";
import { ContainerdError, NotFoundError } from "../errors.ts";
import type { CallOptions } from "../transport/transport.ts";
import { Pause } from "./pause.ts";

/** A container's first process, or one that exec started. */
export interface ProcessId {
  containerId: string;
  execId?: string | undefined;
}

/** How long to try to clean up after what failed, for each call, in milliseconds. */
const cleanupMs = 10_000;

const SIGKILL = 9;

/** How often the runtime is asked that does not know yet that a process has ended, 100 ms apart. */
const attempts = 50;

/** Deletes a process that has ended, if it is there. */
export async function deleteProcess(
  { tasks }: NamespacedClient,
  { containerId, execId, signal, timeoutMs }: ProcessId & CallOptions,
): Promise<void> {
  const options = { signal, timeoutMs };
  for (let attempt = 1;; attempt++) {
    try {
      if (execId === undefined) await tasks.delete(containerId, options);
      else await tasks.deleteProcess(containerId, { execId, ...options });
      return;
    } catch (error) {
      if (error instanceof NotFoundError) return;
      // The shim tells of the end before the runtime sees it; without a shim containerd deletes it in a moment.
      const isEarly = isShimGone(error) ||
        (error instanceof ContainerdError && /that is not stopped/.test(error.reason));
      if (!isEarly || attempt === attempts) throw error;
    }
    using pause = new Pause(100);
    await pause.over;
  }
}

/** Whether containerd's connection to a shim broke, most likely because that died. */
export function isShimGone(error: unknown): error is ContainerdError {
  return error instanceof ContainerdError && /\bttrpc: closed\b/.test(error.reason);
}

/** Ends a process if it has not ended, and deletes it; says nothing when that fails, too. */
export async function discardProcess(client: NamespacedClient, id: ProcessId): Promise<void> {
  const { tasks } = client;
  const limit = { timeoutMs: cleanupMs };
  const { containerId, execId } = id;
  const isEnding = await tasks.kill({ containerId, execId, signal: SIGKILL }, limit).then(
    () => true,
    () => false,
  );
  if (isEnding) await tasks.wait(containerId, { execId, ...limit }).catch(() => {});
  await deleteProcess(client, { containerId, execId, ...limit }).catch(() => {});
}
