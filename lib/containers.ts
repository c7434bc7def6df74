import type { Container as Message } from "../proto/gen/containerd/services/containers/v1/containers.ts";
import { toDate } from "./convert.ts";
import { quoted } from "./oci/quoted.ts";
import type { Scope } from "./scope.ts";
import { Containers as methods } from "./transport/methods.ts";
import type { CallOptions } from "./transport/transport.ts";
import { isTooLarge } from "./whole_list.ts";

/** A container: the record from which a task is started. */
export interface Container {
  id: string;
  /** The name of the image that it was made from; empty when from none. */
  image: string;
  labels: Record<string, string>;
  runtime: string;
  snapshotter: string;
  snapshotKey: string;
  createdAt: Date;
  updatedAt: Date;
}

/** containerd's containers service, in one namespace. */
export class Containers {
  readonly #scope: Scope;

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

  /** @throws {NotFoundError} when there is none of that id. */
  async get(id: string, options: CallOptions = {}): Promise<Container> {
    const call = { action: "get", resource: `container ${quoted(id)}`, ...options };
    const { container } = await this.#scope.unary(methods.get, { id }, call);
    return fromMessage(container!);
  }
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
