import type { Sandbox as Message } from "../proto/gen/containerd/types/sandbox.ts";
import { toDate } from "./convert.ts";
import {
  ContainerdError,
  containerdError,
  InvalidArgumentError,
  NotFoundError,
  UnimplementedError,
} from "./errors.ts";
import { quoted } from "./oci/quoted.ts";
import type { Scope, ScopedCall } from "./scope.ts";
import { SandboxController, Sandboxes as methods } from "./transport/methods.ts";
import type { CallOptions, Method } from "./transport/transport.ts";

/** A sandbox: the record of what several containers share, such as a pod's. */
export interface Sandbox {
  /** Unique in its namespace: up to 76 letters and digits, between which `.`, `_` and `-` may stand. */
  id: string;
  /** By key. */
  labels: Record<string, string>;
  /** What runs it: `io.containerd.runc.v2`; empty when the record does not say. */
  runtime: string;
  /** The controller that runs it: `podsandbox`, `shim`; empty before containerd 2.0. */
  sandboxer: string;
  /** When the record was created. */
  createdAt: Date;
  /** When the record was last changed. */
  updatedAt: Date;
}

/** A sandbox to create. */
export interface NewSandbox {
  /** Up to 76 letters and digits, between which `.`, `_` and `-` may stand. */
  id: string;
  /** By key. Default: none. */
  labels?: Record<string, string>;
  /** What is to run it: `io.containerd.runc.v2`. */
  runtime: string;
  /** The controller that is to run it: `podsandbox`, `shim`; containerd 1.7 does not know it. */
  sandboxer?: string;
}

/**
 * containerd's store of sandboxes, in one namespace; since containerd 1.7. That series keeps it beside the namespace: it
 * neither makes a namespace nor goes with one.
 *
 * Every method throws {@linkcode UnimplementedError} on containerd 1.6.
 *
 * ```ts
 * import type { NamespacedClient } from "davit";
 *
 * async function example({ sandboxes }: NamespacedClient) {
 *   for await (const sandbox of sandboxes.list()) {
 *     await sandboxes.stop(sandbox);
 *     await sandboxes.delete(sandbox.id);
 *   }
 * }
 * ```
 */
export class Sandboxes {
  readonly #scope: Scope;

  /** For {@linkcode NamespacedClient}, whose `sandboxes` it is. */
  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /** The sandboxes that match any of the filters (containerd's syntax: `id`, `labels`); all without one. */
  async *list(
    { filters = [], ...options }: CallOptions & { filters?: string[] } = {},
  ): AsyncIterable<Sandbox> {
    const call = { action: "list sandboxes", ...options };
    const { list } = await this.#store(methods.list, { filters }, call);
    yield* list.map(fromMessage);
  }

  /** One sandbox. @throws {NotFoundError} when there is none of that id. */
  async get(id: string, options: CallOptions = {}): Promise<Sandbox> {
    const call = { action: "get", resource: described(id), ...options };
    const { sandbox } = await this.#store(methods.get, { sandboxId: id }, call);
    return fromMessage(sandbox!);
  }

  /**
   * Creates the record of a sandbox; nothing runs yet.
   *
   * @throws {AlreadyExistsError} when there is one of that id.
   */
  async create({ id, runtime, ...sandbox }: NewSandbox, options: CallOptions = {}): Promise<Sandbox> {
    const request = { sandbox: { ...sandbox, sandboxId: id, runtime: { name: runtime } } };
    const call = { action: "create", resource: described(id), ...options };
    const { sandbox: created } = await this.#store(methods.create, request, call);
    return fromMessage(created!);
  }

  /**
   * Ends what runs of a sandbox, if anything does, with its shim; its record stays. containerd 2.x can do so only where
   * it has its plugin for Kubernetes, as it can start one.
   */
  async stop(
    { id, sandboxer }: Pick<Sandbox, "id" | "sandboxer">,
    options: CallOptions = {},
  ): Promise<void> {
    const request = { sandboxId: id, sandboxer };
    const call = { action: "stop", resource: described(id), ...options };
    for (const method of [SandboxController.stop, SandboxController.shutdown]) {
      await this.#scope.unary(method, request, call).catch((error) => {
        // Without a name containerd 2.x cannot have started it.
        const isNobodys = sandboxer === "" && error instanceof InvalidArgumentError;
        if (!isNobodys && !meansEnded(error)) throw error;
      });
    }
  }

  /**
   * Deletes the record of a sandbox. containerd does not look for what runs: {@linkcode stop} it before.
   *
   * @throws {NotFoundError} when there is none of that id.
   */
  async delete(id: string, options: CallOptions = {}): Promise<void> {
    const call = { action: "delete", resource: described(id), ...options };
    try {
      await this.#store(methods.delete, { sandboxId: id }, call);
    } catch (error) {
      if (!(error instanceof ContainerdError) || error.code !== "unknown") throw error;
      // So containerd 1.7 puts it if there are others.
      const isGone = await this.get(id, options).then(() => false, (error) => error instanceof NotFoundError);
      throw isGone ? containerdError({ ...error.details, code: "not_found", reason: "not found" }) : error;
    }
  }

  async #store<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    call: ScopedCall,
  ): Promise<Response> {
    try {
      return await this.#scope.unary(method, request, call);
    } catch (error) {
      if (!(error instanceof UnimplementedError)) throw error;
      throw containerdError({ ...error.details, reason: "containerd has sandboxes since 1.7" }, {
        cause: error,
      });
    }
  }
}

/** The sandboxes of a namespace, for whoever looks at all that is in it: containerd 1.6 has none. */
export async function* knownSandboxes(
  { sandboxes }: { sandboxes: Sandboxes },
  options: CallOptions = {},
): AsyncIterable<Sandbox> {
  try {
    yield* sandboxes.list(options);
  } catch (error) {
    if (!(error instanceof UnimplementedError)) throw error;
  }
}

/** Whether nothing runs, in the words of an error: also that of a shim which ends before it has answered (1.7). */
function meansEnded(error: unknown): boolean {
  if (error instanceof NotFoundError || error instanceof UnimplementedError) return true;
  return error instanceof ContainerdError && error.code === "unknown" && /ttrpc: closed/.test(error.reason);
}

function described(id: string): string {
  return `sandbox ${quoted(id)}`;
}

function fromMessage({ sandboxId, labels, runtime, sandboxer, createdAt, updatedAt }: Message): Sandbox {
  return {
    id: sandboxId,
    labels,
    runtime: runtime?.name ?? "",
    sandboxer,
    createdAt: toDate(createdAt),
    updatedAt: toDate(updatedAt),
  };
}
