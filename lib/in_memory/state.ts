/**
 * What a containerd keeps. Records are the messages that its services answer with; they are replaced, never changed.
 */
import type { Info } from "../../proto/gen/containerd/services/content/v1/content.ts";
import type { Image } from "../../proto/gen/containerd/services/images/v1/images.ts";
import type { Lease, Resource } from "../../proto/gen/containerd/services/leases/v1/leases.ts";
import type { Timestamp } from "../../proto/gen/google/protobuf/timestamp.ts";
import type { Ingest } from "./ingest.ts";
import { refusal } from "./refusal.ts";

/** What one namespace holds. */
export interface NamespaceState {
  labels: Record<string, string>;
  readonly images: Map<string, Image>;
  readonly content: Map<string, Info>;
  readonly ingests: Map<string, Ingest>;
  readonly leases: Map<string, Lease>;
  /** What each lease holds, by the lease's id. */
  readonly held: Map<string, Resource[]>;
}

/** Everything of one daemon. */
export class State {
  readonly namespaces: Map<string, NamespaceState> = new Map();
  /** The bytes of all blobs; a namespace has those of which it has a record. */
  readonly blobs: Map<string, Uint8Array> = new Map();
  readonly policy: "shared" | "isolated";

  constructor(policy: "shared" | "isolated") {
    this.policy = policy;
  }

  /** What a namespace holds, or nothing: reading does not make it exist. */
  at(name: string): NamespaceState {
    return this.namespaces.get(name) ?? {
      labels: {},
      images: new Map(),
      content: new Map(),
      ingests: new Map(),
      leases: new Map(),
      held: new Map(),
    };
  }

  /** A namespace to write to; this makes it exist, so look for reasons to refuse first. */
  reach(name: string): NamespaceState {
    const namespace = this.at(name);
    this.namespaces.set(name, namespace);
    return namespace;
  }
}

/** Has the lease of a call, if it has one, hold a resource. */
export function hold(namespace: NamespaceState, lease: string | undefined, resource: Resource): void {
  if (lease === undefined) return;
  checkLease(namespace, lease);
  const held = namespace.held.get(lease)!;
  if (!held.some((other) => isSame(other, resource))) namespace.held.set(lease, [...held, resource]);
}

/** Takes a resource from a lease. */
export function letGo(namespace: NamespaceState, lease: string, resource: Resource): void {
  const held = namespace.held.get(lease) ?? [];
  namespace.held.set(lease, held.filter((other) => !isSame(other, resource)));
}

/** Refuses a call under a lease that is not there. */
export function checkLease(namespace: NamespaceState, lease: string | undefined): void {
  if (lease !== undefined && !namespace.leases.has(lease)) {
    throw refusal("not_found", "lease does not exist");
  }
}

/** The present, as containerd writes it. */
export function now(): Timestamp {
  return timestampOf(new Date());
}

/** An instant as containerd writes it. */
export function timestampOf(date: Date): Timestamp {
  const ms = date.getTime();
  const seconds = Math.floor(ms / 1000);
  return { seconds: BigInt(seconds), nanos: (ms - seconds * 1000) * 1_000_000 };
}

/** The records of a map in the order in which containerd lists them. */
export function inOrder<Item>(items: ReadonlyMap<string, Item>): Item[] {
  return [...items].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item);
}

function isSame(a: Resource, b: Resource): boolean {
  return a.type === b.type && a.id === b.id;
}
