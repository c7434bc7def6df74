import type { Process as Message } from "../proto/gen/containerd/types/task/task.ts";
import { toDate } from "./convert.ts";
import { quoted } from "./oci/quoted.ts";
import type { Scope } from "./scope.ts";
import { Tasks as methods } from "./transport/methods.ts";
import type { CallOptions } from "./transport/transport.ts";

/** A task: the process of a container. */
export interface Task {
  /** The id of its container. */
  id: string;
  pid: number;
  status: TaskStatus;
  /** 0–255, once stopped; 128 + n when signal n ended it. */
  exitStatus?: number;
  exitedAt?: Date;
}

export type TaskStatus = "unknown" | "created" | "running" | "stopped" | "paused" | "pausing";

const statuses: readonly TaskStatus[] = ["unknown", "created", "running", "stopped", "paused", "pausing"];

/** containerd's tasks service, in one namespace. */
export class Tasks {
  readonly #scope: Scope;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /** All tasks of the namespace. */
  async *list(options: CallOptions = {}): AsyncIterable<Task> {
    const { tasks } = await this.#scope.unary(methods.list, {}, { action: "list tasks", ...options });
    yield* tasks.map(fromMessage);
  }

  /** The task of a container. @throws {NotFoundError} when it has none. */
  async get(containerId: string, options: CallOptions = {}): Promise<Task> {
    const call = { action: "get", resource: `task ${quoted(containerId)}`, ...options };
    const { process } = await this.#scope.unary(methods.get, { containerId }, call);
    return fromMessage(process!);
  }
}

function fromMessage({ id, pid, status: number, exitStatus, exitedAt }: Message): Task {
  const status = statuses[number] ?? "unknown";
  return { id, pid, status, ...(status === "stopped" && { exitStatus, exitedAt: toDate(exitedAt) }) };
}
