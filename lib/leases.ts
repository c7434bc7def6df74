import type { Lease as Message } from "../proto/gen/containerd/services/leases/v1/leases.ts";
import { toDate } from "./convert.ts";
import {
  ContainerdError,
  DeadlineExceededError,
  NotFoundError,
  OutcomeUnknownError,
  UnavailableError,
} from "./errors.ts";
import { ownerLabels } from "./lease_owner.ts";
import { quoted } from "./oci/quoted.ts";
import type { Scope } from "./scope.ts";
import { Leases as methods } from "./transport/methods.ts";
import type { CallOptions } from "./transport/transport.ts";

/** A lease keeps what it holds from being collected as garbage, for as long as it lives. */
export interface Lease {
  /** Unique in its namespace; any text that is not empty. */
  id: string;
  /** By key; after `containerd.io/gc.expire`, RFC 3339, it is dropped. */
  labels: Record<string, string>;
  /** When it was created. */
  createdAt: Date;
}

/** A lease that ends with its scope: `await using lease = await client.leases.acquire(…)`. */
export interface HeldLease extends Lease, AsyncDisposable {}

/** Something that a lease holds, with all that it refers to. */
export interface Resource {
  /** `content`, `ingests` or `snapshots/<snapshotter>`; since containerd 2.0 also `images`. */
  type: string;
  /** The digest of a blob, the ref of an ingest, the key of a snapshot, or the name of an image. */
  id: string;
}

/** The label that tells containerd when a lease may go, RFC 3339 in whole seconds. */
const expiryLabel = "containerd.io/gc.expire";

/** How long a call may take that waits for a garbage collection, in milliseconds. */
export const collectionMs = 600_000;

const dayMs = 24 * 60 * 60 * 1000;

/**
 * containerd's leases service, in one namespace.
 *
 * ```ts
 * import type { NamespacedClient } from "davit";
 *
 * async function example({ leases }: NamespacedClient) {
 *   await leases.create({ id: "nightly", expiresInMs: 60 * 60 * 1000 });
 *   await leases.addResource("nightly", { type: "content", id: "sha256:…" });
 *   await leases.delete("nightly", { sync: true });
 * }
 * ```
 */
export class Leases {
  readonly #scope: Scope;

  /** For {@linkcode NamespacedClient}, whose `leases` it is. */
  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /** The leases that match any of the filters (containerd's syntax); all without one. */
  async *list({ filters = [], ...options }: CallOptions & { filters?: string[] } = {}): AsyncIterable<Lease> {
    const { leases } = await this.#scope.unary(methods.list, { filters }, {
      action: "list leases",
      ...options,
    });
    yield* leases.map(fromMessage);
  }

  /**
   * Creates a lease. With `expiresInMs` containerd drops it at the first collection after that time.
   *
   * @throws {AlreadyExistsError} when there is one of that id.
   */
  async create(
    { id, labels = {}, expiresInMs }: { id: string; labels?: Record<string, string>; expiresInMs?: number },
    options: CallOptions = {},
  ): Promise<Lease> {
    const expiry: Record<string, string> = expiresInMs === undefined
      ? {}
      : { [expiryLabel]: instant(expiresInMs) };
    const { lease } = await this.#scope.unary(methods.create, { id, labels: { ...labels, ...expiry } }, {
      action: "create",
      resource: described(id),
      ...options,
    });
    return fromMessage(lease!);
  }

  /**
   * A lease of our own that is deleted when it goes out of scope; should we die first, it expires after a day.
   * The id begins with `prefix` and is unique; labels say who holds it, where the client knows.
   *
   * ```ts
   * import { digestOf } from "davit";
   * import { InMemoryContainerd } from "davit/testing";
   *
   * await using containerd = new InMemoryContainerd().client();
   * const client = containerd.namespace("build");
   * const bytes = new TextEncoder().encode("text");
   * await using lease = await client.leases.acquire({ prefix: "example" });
   * await client.withLease(lease.id).content.write(
   *   { digest: await digestOf(bytes), size: bytes.length },
   *   async function* () {
   *     yield bytes;
   *   },
   * );
   * // What is to keep it is written here, before the lease ends.
   * ```
   */
  async acquire(
    { prefix, labels = {} }: { prefix: string; labels?: Record<string, string> },
    options: CallOptions = {},
  ): Promise<HeldLease> {
    const id = `${prefix}-${crypto.randomUUID()}`;
    const owner = await this.#scope.owner?.();
    const labelled = { ...labels, ...(owner && ownerLabels(owner)) };
    const lease = await this.create({ id, labels: labelled, expiresInMs: dayMs }, options);
    const release = async () => {
      try {
        await this.delete(id);
      } catch (error) {
        // Without a daemon to delete it, or room on its disk to write that down, there remains its expiry.
        const lost = [NotFoundError, UnavailableError, OutcomeUnknownError, DeadlineExceededError];
        const isFull = error instanceof ContainerdError && /no space left on device/.test(error.reason);
        if (!isFull && !lost.some((kind) => error instanceof kind)) throw error;
      }
    };
    return { ...lease, [Symbol.asyncDispose]: release };
  }

  /**
   * Deletes a lease; what only it held goes with the next garbage collection, which `sync` waits for.
   *
   * @throws {NotFoundError} when there is none of that id.
   */
  async delete(
    id: string,
    { sync = false, ...options }: CallOptions & { sync?: boolean } = {},
  ): Promise<void> {
    await this.#scope.unary(methods.delete, { id, sync }, {
      action: "delete",
      resource: described(id),
      ...options,
      timeoutMs: options.timeoutMs ?? (sync ? collectionMs : undefined),
    });
  }

  /** Runs one garbage collection and waits for it. containerd offers no call for it but the end of a lease. */
  async collectGarbage(options: CallOptions = {}): Promise<void> {
    const id = `davit-gc-${crypto.randomUUID()}`;
    await this.create({ id, expiresInMs: collectionMs }, options);
    await this.delete(id, { sync: true, ...options });
  }

  /** What a lease holds. @throws {NotFoundError} when there is none of that id. */
  async *listResources(id: string, options: CallOptions = {}): AsyncIterable<Resource> {
    const { resources } = await this.#scope.unary(methods.listResources, { id }, {
      action: "list the resources of",
      resource: described(id),
      ...options,
    });
    yield* resources;
  }

  /** Adds a resource to a lease; whether the resource exists is not checked. */
  async addResource(id: string, resource: Resource, options: CallOptions = {}): Promise<void> {
    await this.#scope.unary(methods.addResource, { id, resource }, {
      action: "add a resource to",
      resource: described(id),
      ...options,
    });
  }

  /** Takes a resource out of a lease. */
  async deleteResource(id: string, resource: Resource, options: CallOptions = {}): Promise<void> {
    await this.#scope.unary(methods.deleteResource, { id, resource }, {
      action: "take a resource from",
      resource: described(id),
      ...options,
    });
  }
}

/** Whether a lease is past its expiry. */
export function isExpired(lease: Pick<Lease, "labels">): boolean {
  const expiry = expiryOf(lease);
  return expiry !== undefined && expiry.getTime() <= Date.now();
}

/** When a lease ends by itself. containerd takes what it cannot read as a time for never. */
export function expiryOf({ labels }: Pick<Lease, "labels">): Date | undefined {
  const time = Date.parse(labels[expiryLabel] ?? "");
  return Number.isNaN(time) ? undefined : new Date(time);
}

function described(id: string): string {
  return `lease ${quoted(id)}`;
}

/** An invalid expiry would mean never, and containerd reads whole seconds. */
function instant(inMs: number): string {
  return new Date(Date.now() + inMs).toISOString().replace(/\.\d+Z$/, "Z");
}

function fromMessage({ id, labels, createdAt }: Message): Lease {
  return { id, labels, createdAt: toDate(createdAt) };
}
