import type { Info as Message } from "../proto/gen/containerd/services/snapshots/v1/snapshots.ts";
import { labelChange, toDate, toNumber } from "./convert.ts";
import { quoted } from "./oci/quoted.ts";
import type { Scope } from "./scope.ts";
import { Snapshots as methods } from "./transport/methods.ts";
import type { CallOptions } from "./transport/transport.ts";
import { unary } from "./unbounded.ts";

/** A snapshot of one snapshotter, in one namespace. */
export interface Snapshot {
  /** Unique among its snapshotter's in the namespace; of an unpacked layer its chain id, `sha256:…`. */
  key: string;
  /** The key of the committed snapshot that it begins with; empty for one without. */
  parent: string;
  /** What it is good for. */
  kind: SnapshotKind;
  /** By key; with `containerd.io/gc.root` it is not collected. */
  labels: Record<string, string>;
  /** When it was made; of a committed one, when it was committed. */
  createdAt: Date;
  /** When its labels were last set. */
  updatedAt: Date;
}

/** Read-only view, writable and active, or committed: the parent of others. */
export type SnapshotKind = "view" | "active" | "committed" | "unknown";

/** What a snapshot itself takes, without its parents. */
export interface SnapshotUsage {
  /** Bytes. */
  size: number;
  /** Files, folders and links. */
  inodes: number;
}

/** A mount that makes a snapshot's files appear, in the words of mount(8); paths are those of containerd's host. */
export interface Mount {
  /** `overlay`, `bind`, … */
  type: string;
  /** A folder or device; of no meaning for types that need none, such as `overlay`. */
  source: string;
  /** A folder below the mount point; empty for the mount point itself. */
  target: string;
  /** What follows `-o`, one by one: `ro`, `lowerdir=/…:/…`. */
  options: string[];
}

/** A snapshot to make. */
export interface NewSnapshot {
  /** Must be free among the snapshotter's in the namespace. */
  key: string;
  /** The committed snapshot that it begins with; without one it is empty. */
  parent?: string | undefined;
  /** By key; with `containerd.io/gc.root` it is not collected. Default: none. */
  labels?: Record<string, string>;
}

const kinds: readonly SnapshotKind[] = ["unknown", "view", "active", "committed"];

/**
 * One snapshotter of containerd's snapshots service, in one namespace.
 *
 * ```ts
 * import type { NamespacedClient } from "davit";
 *
 * async function example(client: NamespacedClient, chainId: string) {
 *   await using lease = await client.leases.acquire({ prefix: "example" });
 *   const snapshots = client.withLease(lease.id).snapshots("overlayfs");
 *   const mounts = await snapshots.prepare({ key: "scratch", parent: chainId });
 *   console.log(mounts);
 *   await snapshots.remove("scratch");
 * }
 * ```
 */
export class Snapshots {
  readonly #scope: Scope;
  readonly #snapshotter: string;

  /** For {@linkcode NamespacedClient.snapshots}, which makes it. */
  constructor(scope: Scope, snapshotter: string) {
    this.#scope = scope;
    this.#snapshotter = snapshotter;
  }

  /** The snapshots that match any of the filters (containerd's syntax); all without one. */
  async *list(
    { filters = [], ...options }: CallOptions & { filters?: string[] } = {},
  ): AsyncIterable<Snapshot> {
    const request = { snapshotter: this.#snapshotter, filters };
    const batches = this.#scope.stream(methods.list, [request], { action: "list snapshots", ...options });
    for await (const { info } of batches) yield* info.map(fromMessage);
  }

  /** One snapshot. @throws {NotFoundError} when there is none of that key. */
  async stat(key: string, options: CallOptions = {}): Promise<Snapshot> {
    const call = { action: "get", resource: described(key), ...options };
    const { info } = await this.#scope.unary(methods.stat, { snapshotter: this.#snapshotter, key }, call);
    return fromMessage(info!);
  }

  /** What one snapshot takes, without its parents. @throws {NotFoundError} when there is none of that key. */
  async usage(key: string, options: CallOptions = {}): Promise<SnapshotUsage> {
    const call = { action: "get the usage of", resource: described(key), ...options };
    const { size, inodes } = await this.#scope.unary(
      methods.usage,
      { snapshotter: this.#snapshotter, key },
      call,
    );
    return { size: toNumber(size), inodes: toNumber(inodes) };
  }

  /**
   * Makes a snapshot to write to, and resolves to its mounts. Nobody needs it but a lease, a container, or a label
   * `containerd.io/gc.root`: without one it is soon collected.
   *
   * With the label `containerd.io/snapshot.ref` nothing is made if there is a snapshot of that key, which the lease
   * then holds.
   *
   * @throws {AlreadyExistsError} when there is one of that key, or of that of the label.
   * @throws {NotFoundError} when there is no such parent.
   */
  async prepare(snapshot: NewSnapshot, options: CallOptions = {}): Promise<Mount[]> {
    const { mounts } = await unary(
      this.#scope,
      { method: methods.prepare, request: this.#requestFor(snapshot) },
      { action: "prepare", resource: described(snapshot.key), ...options },
    );
    return mounts;
  }

  /**
   * Makes a snapshot to read from, and resolves to its mounts. It is collected like one of {@linkcode prepare}.
   *
   * @throws {AlreadyExistsError} when there is one of that key.
   * @throws {NotFoundError} when there is no such parent.
   */
  async view(snapshot: NewSnapshot, options: CallOptions = {}): Promise<Mount[]> {
    const { mounts } = await unary(
      this.#scope,
      { method: methods.view, request: this.#requestFor(snapshot) },
      { action: "make a view as", resource: described(snapshot.key), ...options },
    );
    return mounts;
  }

  /** The mounts of an active snapshot or a view. @throws {NotFoundError} when there is none of that key. */
  async mounts(key: string, options: CallOptions = {}): Promise<Mount[]> {
    const call = { action: "get the mounts of", resource: described(key), ...options };
    const { mounts } = await this.#scope.unary(methods.mounts, { snapshotter: this.#snapshotter, key }, call);
    return mounts;
  }

  /**
   * Makes a committed snapshot of an active one, which is then no more: a parent for others, under a name of its own and
   * with labels of its own. What is in it is not checked, so never commit one into which {@linkcode Diff.apply} failed.
   *
   * @throws {AlreadyExistsError} when there is a snapshot of that name; the active one stays.
   * @throws {NotFoundError} when there is no active one of that key.
   */
  async commit(
    { name, key, labels = {} }: { name: string; key: string; labels?: Record<string, string> },
    options: CallOptions = {},
  ): Promise<void> {
    const request = { snapshotter: this.#snapshotter, name, key, labels };
    const call = { action: "commit", resource: described(key), ...options };
    await unary(this.#scope, { method: methods.commit, request }, call);
  }

  /**
   * Removes a snapshot, even if a task runs on it.
   *
   * @throws {NotFoundError} when there is none of that key.
   * @throws {FailedPreconditionError} when it is the parent of others.
   */
  async remove(key: string, options: CallOptions = {}): Promise<void> {
    const call = { action: "remove", resource: described(key), ...options };
    await this.#scope.unary(methods.remove, { snapshotter: this.#snapshotter, key }, call);
  }

  /**
   * Sets labels; an empty value removes its label, others stay.
   *
   * @throws {NotFoundError} when there is none of that key.
   */
  async update(
    key: string,
    { labels, ...options }: CallOptions & { labels: Record<string, string> },
  ): Promise<Snapshot> {
    const change = labelChange(labels);
    if (change.updateMask.length === 0) return await this.stat(key, options); // no mask would mean all labels
    const { info } = await this.#scope.unary(methods.update, {
      snapshotter: this.#snapshotter,
      info: { name: key, labels: change.labels },
      updateMask: change.updateMask,
    }, { action: "label", resource: described(key), ...options });
    return fromMessage(info!);
  }

  /**
   * Removes files that belong to no snapshot any more, of all namespaces.
   *
   * @throws {UnimplementedError} from containerd 1.6 to 2.1, which leave that to their garbage collection.
   */
  async cleanup(options: CallOptions = {}): Promise<void> {
    const request = { snapshotter: this.#snapshotter };
    const call = { action: "clean up", resource: `snapshotter ${quoted(this.#snapshotter)}`, ...options };
    await unary(this.#scope, { method: methods.cleanup, request }, call);
  }

  #requestFor({ key, parent = "", labels = {} }: NewSnapshot) {
    return { snapshotter: this.#snapshotter, key, parent, labels };
  }
}

function described(key: string): string {
  return `snapshot ${quoted(key)}`;
}

function fromMessage({ name, parent, kind, labels, createdAt, updatedAt }: Message): Snapshot {
  return {
    key: name,
    parent,
    kind: kinds[kind] ?? "unknown",
    labels,
    createdAt: toDate(createdAt),
    updatedAt: toDate(updatedAt),
  };
}
