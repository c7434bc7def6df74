import type { Info as Message } from "../proto/gen/containerd/services/snapshots/v1/snapshots.ts";
import { toDate, toNumber } from "./convert.ts";
import { quoted } from "./oci/quoted.ts";
import type { Scope } from "./scope.ts";
import { Snapshots as methods } from "./transport/methods.ts";
import type { CallOptions } from "./transport/transport.ts";

/** A snapshot; `parent` is empty for one without. */
export interface Snapshot {
  key: string;
  parent: string;
  kind: SnapshotKind;
  labels: Record<string, string>;
  createdAt: Date;
  updatedAt: Date;
}

/** Read-only view, writable and active, or committed: the parent of others. */
export type SnapshotKind = "view" | "active" | "committed" | "unknown";

/** What a snapshot itself takes, without its parents. */
export interface SnapshotUsage {
  /** Bytes. */
  size: number;
  inodes: number;
}

const kinds: readonly SnapshotKind[] = ["unknown", "view", "active", "committed"];

/** One snapshotter of containerd's snapshots service, in one namespace. */
export class Snapshots {
  readonly #scope: Scope;
  readonly #snapshotter: string;

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

  /** @throws {NotFoundError} when there is none of that key. */
  async stat(key: string, options: CallOptions = {}): Promise<Snapshot> {
    const call = { action: "get", resource: described(key), ...options };
    const { info } = await this.#scope.unary(methods.stat, { snapshotter: this.#snapshotter, key }, call);
    return fromMessage(info!);
  }

  /** @throws {NotFoundError} when there is none of that key. */
  async usage(key: string, options: CallOptions = {}): Promise<SnapshotUsage> {
    const call = { action: "get the usage of", resource: described(key), ...options };
    const { size, inodes } = await this.#scope.unary(
      methods.usage,
      { snapshotter: this.#snapshotter, key },
      call,
    );
    return { size: toNumber(size), inodes: toNumber(inodes) };
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
