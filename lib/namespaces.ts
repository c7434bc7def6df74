import type { Namespace as Message } from "../proto/gen/containerd/services/namespaces/v1/namespaces.ts";
import { labelChange } from "./convert.ts";
import { ContainerdError, containerdError, NotFoundError } from "./errors.ts";
import { quoted } from "./oci/quoted.ts";
import type { Scope } from "./scope.ts";
import { Namespaces as methods } from "./transport/methods.ts";
import type { CallOptions } from "./transport/transport.ts";

/** A namespace: a name and its labels. */
export interface Namespace {
  /** Up to 76 letters and digits, between which `.`, `_` and `-` may stand. */
  name: string;
  /** By key; `containerd.io/defaults/snapshotter` is the one that is used where nothing is said. */
  labels: Record<string, string>;
}

/**
 * containerd's namespaces service.
 *
 * ```ts
 * import { assertEquals, InMemoryContainerd } from "davit/testing";
 *
 * await using client = new InMemoryContainerd().client();
 * await client.namespaces.create("build", { labels: { team: "web" } });
 * await client.namespaces.update("build", { labels: { team: "", owner: "ops" } });
 * assertEquals((await client.namespaces.get("build")).labels, { owner: "ops" });
 * ```
 */
export class Namespaces {
  readonly #scope: Scope;

  /** For {@linkcode Client} and {@linkcode NamespacedClient}, whose `namespaces` it is. */
  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /** All namespaces, in the order of their names. */
  async *list(options: CallOptions = {}): AsyncIterable<Namespace> {
    const { namespaces } = await this.#scope.unary(methods.list, {}, {
      action: "list namespaces",
      ...options,
    });
    yield* namespaces.map(fromMessage);
  }

  /**
   * One namespace.
   *
   * @throws {NotFoundError} when there is none of that name. containerd's own `Get` answers as if there were, so
   * this looks through the list.
   */
  async get(name: string, options: CallOptions = {}): Promise<Namespace> {
    return await this.#find(name, { action: "get", ...options });
  }

  /** Whether there is a namespace of that name. */
  async exists(name: string, options: CallOptions = {}): Promise<boolean> {
    try {
      await this.get(name, options);
      return true;
    } catch (error) {
      if (error instanceof NotFoundError) return false;
      throw error;
    }
  }

  /**
   * Creates a namespace.
   *
   * @throws {AlreadyExistsError} when there is one of that name.
   * @throws {InvalidArgumentError} when the name or a label is not allowed.
   */
  async create(
    name: string,
    { labels = {}, ...options }: CallOptions & { labels?: Record<string, string> } = {},
  ): Promise<Namespace> {
    const { namespace } = await this.#scope.unary(methods.create, { namespace: { name, labels } }, {
      action: "create",
      resource: described(name),
      namespace: headerFor(name, this.#scope),
      ...options,
    }).catch(judged);
    return fromMessage(namespace!);
  }

  /**
   * Sets labels; an empty value removes its label, others stay.
   *
   * @throws {NotFoundError} when there is no such namespace. containerd would create it.
   */
  async update(
    name: string,
    { labels, ...options }: CallOptions & { labels: Record<string, string> },
  ): Promise<Namespace> {
    const before = await this.#find(name, { action: "label", ...options });
    const change = labelChange(labels);
    // containerd would take an empty mask to mean all labels.
    if (change.updateMask.length === 0) return before;
    await this.#scope.unary(methods.update, {
      namespace: { name, labels: change.labels },
      updateMask: change.updateMask,
    }, { action: "label", resource: described(name), namespace: headerFor(name, this.#scope), ...options });
    return await this.get(name, options); // its answer is empty
  }

  /**
   * Deletes a namespace, which must be empty.
   *
   * @throws {NotFoundError} when there is none of that name.
   * @throws {FailedPreconditionError} when it still holds images, blobs, containers or snapshots; the reason lists them.
   */
  async delete(name: string, options: CallOptions = {}): Promise<void> {
    await this.#scope.unary(methods.delete, { name }, {
      action: "delete",
      resource: described(name),
      namespace: headerFor(name, this.#scope),
      ...options,
    });
  }

  async #find(name: string, { action, ...options }: CallOptions & { action: string }): Promise<Namespace> {
    for await (const namespace of this.list(options)) {
      if (namespace.name === name) return namespace;
    }
    throw containerdError({
      code: "not_found",
      reason: "not found",
      outcome: "refused",
      action,
      resource: described(name),
      method: methods.list.name,
    });
  }
}

/** A name that containerd's database has for something else gets an error without a code. */
function judged(error: unknown): never {
  if (!(error instanceof ContainerdError && error.reason.startsWith("incompatible value"))) throw error;
  const reason = `containerd keeps this name for itself: ${error.reason}`;
  throw containerdError({ ...error.details, code: "invalid_argument", reason, outcome: "refused" }, {
    cause: error,
  });
}

function described(name: string): string {
  return `namespace ${quoted(name)}`;
}

/** 1.6 publishes an event in the header's namespace after the change, so the header must name an acceptable one. */
function headerFor(name: string, scope: Scope): string {
  return /^[\w.-]+$/.test(name) ? name : scope.namespace;
}

function fromMessage({ name, labels }: Message): Namespace {
  return { name, labels };
}
