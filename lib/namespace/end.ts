/** Ends what runs in a namespace. */
import type { NamespacedClient } from "../client.ts";
import type { NewContainer } from "../containers.ts";
import { AlreadyExistsError, DeadlineExceededError } from "../errors.ts";
import { knownSandboxes, type Sandbox } from "../sandboxes.ts";
import type { Task, Tasks } from "../tasks.ts";
import type { CallOptions } from "../transport/transport.ts";
import { drain, unlessGone } from "./removal.ts";

/** How to end it. */
export interface Ending {
  /** How long tasks may take after SIGTERM before they are killed, in milliseconds. */
  graceMs: number;
  options: CallOptions;
}

/** How long a task may take to end after SIGKILL, in milliseconds: the kernel may be busy with its files. */
const killMs = 30_000;

const sigterm = 15;
const sigkill = 9;

/** Ends tasks, by themselves where they can in time, and removes them; those without a container, too. */
export async function endTasks(inside: NamespacedClient, { graceMs, options }: Ending): Promise<void> {
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
  { task: { id, status }, graceMs, options }: Ending & { task: Task },
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

/** Ends sandboxes, and deletes their records. */
export async function endSandboxes(inside: NamespacedClient, { options }: Ending): Promise<void> {
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

/** Whether something is there that containerd does not look for when it deletes a namespace: what began meanwhile. */
export async function outlived(inside: NamespacedClient, options: CallOptions): Promise<boolean> {
  for await (const _ of inside.tasks.list(options)) return true;
  for await (const _ of knownSandboxes(inside, options)) return true;
  return false;
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
