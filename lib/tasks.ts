import type { Process as Message } from "../proto/gen/containerd/types/task/task.ts";
import { type CheckpointOptions, checkpointOptions } from "./checkpoint_options.ts";
import { toDate, toDescriptor } from "./convert.ts";
import { ContainerdError, containerdError } from "./errors.ts";
import { equals } from "./filters.ts";
import type { Descriptor } from "./oci/descriptor.ts";
import { quoted } from "./oci/quoted.ts";
import { toSpecJson } from "./oci/spec/json.ts";
import {
  processType,
  resourcesType,
  type RuntimeProcess,
  type RuntimeResources,
} from "./oci/spec/runtime_spec.ts";
import type { Scope } from "./scope.ts";
import type { Mount } from "./snapshots.ts";
import { readMetrics, type TaskMetrics } from "./task_metrics.ts";
import { Tasks as methods } from "./transport/methods.ts";
import type { CallOptions } from "./transport/transport.ts";
import { unary as unbounded } from "./unbounded.ts";

/** A task: the process of a container. */
export interface Task {
  /** The id of its container, or its exec id. */
  id: string;
  /** The process id, as the host counts. */
  pid: number;
  /** What the process is doing. */
  status: TaskStatus;
  /** Where it reads and writes. */
  io: ProcessIo;
  /** 0–255, once stopped; 128 + n when signal n ended it. */
  exitStatus?: number;
  /** When it ended, once stopped. */
  exitedAt?: Date;
}

/** Set up, running, over, or held in its place; `unknown` where containerd's shim does not tell. */
export type TaskStatus = "unknown" | "created" | "running" | "stopped" | "paused" | "pausing";

/** Where a process reads and writes: paths of named pipes or URIs such as `file:///…`; empty for nowhere. */
export interface ProcessIo {
  /** What it reads. */
  stdin: string;
  /** What it writes; unless it has a terminal, `stderr` has to be set with it. */
  stdout: string;
  /** Empty for a terminal, whose stdout it is. */
  stderr: string;
  /** It has a terminal, which `resizePty` sizes. */
  terminal: boolean;
}

/** How a process ended. */
export interface ExitStatus {
  /** 0–255; 128 + n when signal n ended it. */
  exitStatus: number;
  /** When it ended. */
  exitedAt: Date;
}

/** A process in a container, as the host sees it. */
export interface ContainerProcess {
  /** The process id, as the host counts. */
  pid: number;
  /** Of one that exec started. */
  execId?: string;
}

/** Which process of a container is meant; without `execId` its first one. */
export interface ProcessOptions extends CallOptions {
  /** The one that `exec` was told. */
  execId?: string | undefined;
}

const statuses: readonly TaskStatus[] = ["unknown", "created", "running", "stopped", "paused", "pausing"];

/**
 * containerd's tasks service, in one namespace.
 *
 * ```ts
 * import type { NamespacedClient } from "davit";
 *
 * async function example({ tasks }: NamespacedClient) {
 *   for await (const { id, status } of tasks.list()) {
 *     if (status === "running") await tasks.kill({ containerId: id, signal: 15 });
 *     console.log(id, (await tasks.wait(id)).exitStatus);
 *   }
 * }
 * ```
 */
export class Tasks {
  readonly #scope: Scope;

  /** For {@linkcode NamespacedClient}, whose `tasks` it is. */
  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /** All tasks of the namespace. */
  async *list(options: CallOptions = {}): AsyncIterable<Task> {
    const { tasks } = await this.#scope.unary(methods.list, {}, { action: "list tasks", ...options });
    yield* tasks.map(fromMessage);
  }

  /** The task of a container. @throws {NotFoundError} when it has none. */
  async get(containerId: string, { execId = "", ...options }: ProcessOptions = {}): Promise<Task> {
    const call = { action: "get", resource: described(containerId, execId), ...options };
    const { process } = await this.#scope.unary(methods.get, { containerId, execId }, call);
    return fromMessage(process!);
  }

  /**
   * Sets up the process of a container and does not start it. Named pipes must be open for reading, or this waits for
   * somebody to do so. With a checkpoint of {@linkcode Tasks.checkpoint}, starting it goes on from there.
   *
   * @throws {AlreadyExistsError} when the container has a task.
   * @throws {NotFoundError} when there is no such container.
   */
  async create(
    { containerId, rootfs, io, checkpoint: from }: {
      containerId: string;
      rootfs: readonly Mount[];
      io: ProcessIo;
      checkpoint?: Descriptor | undefined;
    },
    options: CallOptions = {},
  ): Promise<{ pid: number }> {
    const { mediaType = "", digest = "", size = 0, annotations = {} } = from ?? {};
    const checkpoint = from && { mediaType, digest, size: BigInt(size), annotations };
    const request = { containerId, rootfs: [...rootfs], ...io, ...(checkpoint && { checkpoint }) };
    const call = { action: "create", resource: described(containerId), ...options };
    try {
      const { pid } = await this.#scope.unary(methods.create, request, call);
      return { pid };
    } catch (error) {
      throw isBeingCreated(error)
        ? containerdError(
          { ...error.details, code: "already_exists", reason: "already exists, or is just being created" },
          { cause: error },
        )
        : error;
    }
  }

  /** Starts a process that was set up. @throws {NotFoundError} when there is none. */
  async start(
    containerId: string,
    { execId = "", ...options }: ProcessOptions = {},
  ): Promise<{ pid: number }> {
    const call = { action: "start", resource: described(containerId, execId), ...options };
    const { pid } = await this.#scope.unary(methods.start, { containerId, execId }, call);
    return { pid };
  }

  /**
   * Sets up another process in a container and does not start it. It has to be deleted, even if it cannot be started.
   *
   * @throws {AlreadyExistsError} when there is one of that exec id.
   * @throws {NotFoundError} when the container has no task.
   */
  async exec(
    { containerId, execId, process, io }: {
      containerId: string;
      execId: string;
      process: RuntimeProcess;
      io: ProcessIo;
    },
    options: CallOptions = {},
  ): Promise<void> {
    const value = new TextEncoder().encode(toSpecJson(process));
    const request = { containerId, execId, spec: { typeUrl: processType, value }, ...io };
    const call = { action: "set up", resource: described(containerId, execId), ...options };
    await this.#scope.unary(methods.exec, request, call);
  }

  /**
   * Waits for the end of a process, for however long it takes; one that has ended already answers at once.
   *
   * @throws {NotFoundError} when there is none, or somebody deleted it.
   */
  async wait(
    containerId: string,
    { execId = "", ...options }: ProcessOptions = {},
  ): Promise<ExitStatus> {
    const call = { action: "wait for", resource: described(containerId, execId), ...options };
    const { exitStatus, exitedAt } = await this.#scope.unary(methods.wait, { containerId, execId }, call);
    return { exitStatus, exitedAt: toDate(exitedAt) };
  }

  /**
   * Sends a signal, by its number; with `all` to every process of the container.
   *
   * @throws {NotFoundError} when there is no such process, or it has ended.
   */
  async kill(
    { containerId, execId = "", signal, all = false }: {
      containerId: string;
      execId?: string | undefined;
      signal: number;
      all?: boolean | undefined;
    },
    options: CallOptions = {},
  ): Promise<void> {
    const call = { action: "send a signal to", resource: described(containerId, execId), ...options };
    await this.#scope.unary(methods.kill, { containerId, execId, signal, all }, call);
  }

  /**
   * Deletes a task that has ended or was never started; what it wrote and nobody read is lost.
   *
   * @throws {NotFoundError} when the container has none.
   * @throws {ContainerdError} when it runs.
   */
  async delete(containerId: string, options: CallOptions = {}): Promise<ExitStatus> {
    const call = { action: "delete", resource: described(containerId), ...options };
    const { exitStatus, exitedAt } = await this.#scope.unary(methods.delete, { containerId }, call);
    return { exitStatus, exitedAt: toDate(exitedAt) };
  }

  /** Deletes a process that exec set up and that has ended or was never started. @throws {NotFoundError} */
  async deleteProcess(
    containerId: string,
    { execId, ...options }: CallOptions & { execId: string },
  ): Promise<ExitStatus> {
    const call = { action: "delete", resource: described(containerId, execId), ...options };
    const { exitStatus, exitedAt } = await this.#scope.unary(
      methods.deleteProcess,
      { containerId, execId },
      call,
    );
    return { exitStatus, exitedAt: toDate(exitedAt) };
  }

  /** Tells the terminal of a process how many characters it shows. */
  async resizePty(
    containerId: string,
    { columns, rows, execId = "", ...options }: ProcessOptions & { columns: number; rows: number },
  ): Promise<void> {
    const call = { action: "resize the terminal of", resource: described(containerId, execId), ...options };
    await this.#scope.unary(methods.resizePty, { containerId, execId, width: columns, height: rows }, call);
  }

  /** Ends the input of a process; closing its pipe does not. */
  async closeStdin(containerId: string, { execId = "", ...options }: ProcessOptions = {}): Promise<void> {
    const call = { action: "end the input of", resource: described(containerId, execId), ...options };
    await this.#scope.unary(methods.closeIO, { containerId, execId, stdin: true }, call);
  }

  /**
   * Stops all processes of a container where they are.
   *
   * @throws {NotFoundError} when it has no task.
   * @throws {FailedPreconditionError} when that does not run.
   */
  async pause(containerId: string, options: CallOptions = {}): Promise<void> {
    const call = { action: "pause", resource: described(containerId), ...options };
    await this.#during(["running"], {
      containerId,
      options,
      work: this.#scope.unary(methods.pause, { containerId }, call),
    });
  }

  /**
   * Lets paused processes go on.
   *
   * @throws {NotFoundError} when the container has no task.
   * @throws {FailedPreconditionError} when that is not paused.
   */
  async resume(containerId: string, options: CallOptions = {}): Promise<void> {
    const call = { action: "resume", resource: described(containerId), ...options };
    await this.#during(["paused", "pausing"], {
      containerId,
      options,
      work: this.#scope.unary(methods.resume, { containerId }, call),
    });
  }

  /**
   * Changes what the processes of a container may use, until they end; the container's spec stays as it is.
   *
   * ```ts
   * import { limitsOf, type NamespacedClient } from "davit";
   *
   * async function example({ tasks }: NamespacedClient) {
   *   await tasks.update({ containerId: "web", resources: limitsOf({ memoryLimit: 512 * 1024 ** 2 }) });
   * }
   * ```
   *
   * @throws {NotFoundError} when it has no task.
   * @throws {FailedPreconditionError} when that has ended.
   * @throws {ContainerdError} when the kernel refuses, such as a limit below what is in use.
   */
  async update(
    { containerId, resources, annotations = {} }: {
      containerId: string;
      resources: RuntimeResources;
      annotations?: Record<string, string> | undefined;
    },
    options: CallOptions = {},
  ): Promise<void> {
    const value = new TextEncoder().encode(toSpecJson(resources));
    const request = { containerId, resources: { typeUrl: resourcesType, value }, annotations };
    const call = { action: "update", resource: described(containerId), ...options };
    await this.#during(["created", "running", "paused"], {
      containerId,
      options,
      work: this.#scope.unary(methods.update, request, call),
    });
  }

  /**
   * Writes down the state of a container's processes, for which its runtime needs CRIU: to a folder of the host, or to
   * content of this namespace, which then has to be held by a lease, and of which this tells.
   *
   * @throws {NotFoundError} when it has no task.
   * @throws {FailedPreconditionError} when that has ended.
   * @throws {ContainerdError} when CRIU is missing or fails.
   */
  async checkpoint(
    containerId: string,
    { exit, imagePath, workPath, ...options }: CallOptions & CheckpointOptions = {},
  ): Promise<Descriptor[]> {
    const request = { containerId, options: await checkpointOptions({ exit, imagePath, workPath }) };
    const call = { action: "checkpoint", resource: described(containerId), ...options };
    const { descriptors } = await this.#during(["running", "paused"], {
      containerId,
      options,
      work: unbounded(this.#scope, { method: methods.checkpoint, request }, call),
    });
    return descriptors.map(toDescriptor);
  }

  /** All processes of a container. @throws {NotFoundError} when it has no task. */
  async listPids(containerId: string, options: CallOptions = {}): Promise<ContainerProcess[]> {
    const call = { action: "list the processes of", resource: described(containerId), ...options };
    const { processes } = await this.#scope.unary(methods.listPids, { containerId }, call);
    const { ProcessDetails } = await import("../proto/gen/containerd/runtime/runc/options.ts");
    return processes.map(({ pid, info }) => {
      const execId = info?.typeUrl.endsWith("containerd.runc.v1.ProcessDetails")
        ? ProcessDetails.decode(info.value).execId
        : "";
      return { pid, ...(execId && { execId }) };
    });
  }

  /** What the tasks of some containers use, of all without ids. One that is gone or cannot tell is left out. */
  async *metrics(
    { containerIds = [], ...options }: CallOptions & { containerIds?: readonly string[] } = {},
  ): AsyncIterable<TaskMetrics> {
    const call = { action: "get the metrics of tasks", ...options };
    const filters = containerIds.map((id) => equals("id", id));
    const { metrics } = await this.#scope.unary(methods.metrics, { filters }, call);
    for (const metric of metrics) yield await readMetrics(metric);
  }

  /** What runtimes say of a task in the wrong state has no code of its own, and words that differ: its state tells. */
  async #during<T>(
    allowed: readonly TaskStatus[],
    { containerId, options, work }: { containerId: string; options: CallOptions; work: Promise<T> },
  ): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (!(error instanceof ContainerdError) || error.code !== "unknown") throw error;
      const task = await this.get(containerId, options).catch(() => undefined);
      if (task === undefined || allowed.includes(task.status)) throw error;
      const reason = `it is ${task.status}`;
      throw containerdError({ ...error.details, code: "failed_precondition", reason, outcome: "refused" }, {
        cause: error,
      });
    }
  }
}

/** While another call creates the task there is only its folder, and containerd trips over that. */
function isBeingCreated(error: unknown): error is ContainerdError {
  return error instanceof ContainerdError &&
    /\bmkdir \S+\/io\.containerd\.runtime\.v2\.task\/\S+: file exists/.test(error.reason);
}

function described(containerId: string, execId = ""): string {
  return execId === ""
    ? `task ${quoted(containerId)}`
    : `process ${quoted(execId)} of task ${quoted(containerId)}`;
}

function fromMessage(
  { id, pid, status: number, stdin, stdout, stderr, terminal, exitStatus, exitedAt }: Message,
): Task {
  const status = statuses[number] ?? "unknown";
  const io = { stdin, stdout, stderr, terminal };
  return { id, pid, status, io, ...(status === "stopped" && { exitStatus, exitedAt: toDate(exitedAt) }) };
}
