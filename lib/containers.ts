import type { Container as Message } from "../proto/gen/containerd/services/containers/v1/containers.ts";
import { labelChange, toDate } from "./convert.ts";
import { quoted } from "./oci/quoted.ts";
import { parseSpecJson, toSpecJson } from "./oci/spec/json.ts";
import { type RuntimeSpec, specType } from "./oci/spec/runtime_spec.ts";
import type { Scope } from "./scope.ts";
import { Containers as methods } from "./transport/methods.ts";
import type { CallOptions } from "./transport/transport.ts";
import { isTooLarge } from "./whole_list.ts";

/** A container: the record from which a task is started. */
export interface Container {
  /** Unique in its namespace: up to 76 letters and digits, between which `.`, `_` and `-` may stand. */
  id: string;
  /** The name of the image that it was made from; empty when from none. */
  image: string;
  /** By key; each `containerd.io/gc.ref.…` names something that the container keeps from being collected. */
  labels: Record<string, string>;
  /** What runs it: `io.containerd.runc.v2`; empty when the record does not say. */
  runtime: string;
  /** The snapshotter of its snapshot: `overlayfs`; empty when the record does not say. */
  snapshotter: string;
  /** The snapshot that is its root filesystem; empty for none of containerd's. */
  snapshotKey: string;
  /** When the record was created. */
  createdAt: Date;
  /** When the record was last changed; what its task does is no change. */
  updatedAt: Date;
}

/** A container to create. */
export interface NewContainer {
  /** Up to 76 letters and digits, between which `.`, `_` and `-` may stand. */
  id: string;
  /** The name of the image that it is made from. Default: none. */
  image?: string;
  /** By key. Default: none. */
  labels?: Record<string, string>;
  /** What is to run it: `io.containerd.runc.v2`. */
  runtime: string;
  /** What the runtime makes it from; {@linkcode defaultSpec} is a beginning. */
  spec: RuntimeSpec;
  /** The snapshotter of `snapshotKey`, which needs one. */
  snapshotter?: string;
  /** The snapshot that is its root filesystem. Default: none of containerd's. */
  snapshotKey?: string;
}

/**
 * containerd's containers service, in one namespace.
 *
 * ```ts
 * import { defaultSpec, type NamespacedClient } from "davit";
 *
 * async function example({ containers, name }: NamespacedClient) {
 *   const spec = defaultSpec({ namespace: name, id: "web" });
 *   spec.root = { path: "/srv/web" };
 *   spec.process!.args = ["/bin/server"];
 *   await containers.create({ id: "web", runtime: "io.containerd.runc.v2", spec });
 * }
 * ```
 */
export class Containers {
  readonly #scope: Scope;

  /** For {@linkcode NamespacedClient}, whose `containers` it is. */
  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /** The containers that match any of the filters (containerd's syntax); all without one. */
  async *list(
    { filters = [], ...options }: CallOptions & { filters?: string[] } = {},
  ): AsyncIterable<Container> {
    const call = { action: "list containers", ...options };
    try {
      const { containers } = await this.#scope.unary(methods.list, { filters }, call);
      return yield* containers.map(fromMessage);
    } catch (error) {
      if (!isTooLarge(error)) throw error;
    }
    // One by one they may be as many as they like, which costs more where they are few.
    const answers = this.#scope.stream(methods.listStream, [{ filters }], call);
    for await (const { container } of answers) yield fromMessage(container!);
  }

  /** One container. @throws {NotFoundError} when there is none of that id. */
  async get(id: string, options: CallOptions = {}): Promise<Container> {
    const call = { action: "get", resource: described(id), ...options };
    const { container } = await this.#scope.unary(methods.get, { id }, call);
    return fromMessage(container!);
  }

  /**
   * The specification from which the runtime makes a container; an integer too large for a number is a bigint in it.
   *
   * @throws {NotFoundError} when there is no container of that id.
   * @throws {SyntaxError} when it has none, or one of another kind.
   */
  async spec(id: string, options: CallOptions = {}): Promise<RuntimeSpec> {
    const call = { action: "get the spec of", resource: described(id), ...options };
    const { container } = await this.#scope.unary(methods.get, { id }, call);
    const { typeUrl = "", value = new Uint8Array() } = container!.spec ?? {};
    try {
      return parseSpecJson(new TextDecoder("utf-8", { fatal: true }).decode(value)) as RuntimeSpec;
    } catch {
      throw new SyntaxError(`Cannot read the spec of ${described(id)}: ${quoted(typeUrl)} is no JSON`);
    }
  }

  /**
   * Creates the record of a container; that image and snapshot exist is not checked. From here on its snapshot is kept
   * from collection.
   *
   * @throws {AlreadyExistsError} when there is one of that id.
   */
  async create({ runtime, spec, ...container }: NewContainer, options: CallOptions = {}): Promise<Container> {
    const value = new TextEncoder().encode(toSpecJson(spec));
    const request = {
      container: { ...container, runtime: { name: runtime }, spec: { typeUrl: specType, value } },
    };
    const call = { action: "create", resource: described(container.id), ...options };
    const { container: created } = await this.#scope.unary(methods.create, request, call);
    return fromMessage(created!);
  }

  /**
   * Sets labels; an empty value removes its label, others stay.
   *
   * @throws {NotFoundError} when there is none of that id.
   */
  async update(
    id: string,
    { labels, ...options }: CallOptions & { labels: Record<string, string> },
  ): Promise<Container> {
    const change = labelChange(labels);
    if (change.updateMask.length === 0) return await this.get(id, options); // no mask would mean everything
    const request = { container: { id, labels: change.labels }, updateMask: change.updateMask };
    const call = { action: "label", resource: described(id), ...options };
    const { container } = await this.#scope.unary(methods.update, request, call);
    return fromMessage(container!);
  }

  /**
   * Deletes the record of a container. containerd does not look for a task: one that runs goes on without anybody being
   * able to reach it, so ask for it before.
   *
   * @throws {NotFoundError} when there is none of that id.
   */
  async delete(id: string, options: CallOptions = {}): Promise<void> {
    await this.#scope.unary(methods.delete, { id }, {
      action: "delete",
      resource: described(id),
      ...options,
    });
  }
}

function described(id: string): string {
  return `container ${quoted(id)}`;
}

function fromMessage(message: Message): Container {
  const { id, image, labels, runtime, snapshotter, snapshotKey, createdAt, updatedAt } = message;
  return {
    id,
    image,
    labels,
    runtime: runtime?.name ?? "",
    snapshotter,
    snapshotKey,
    createdAt: toDate(createdAt),
    updatedAt: toDate(updatedAt),
  };
}
