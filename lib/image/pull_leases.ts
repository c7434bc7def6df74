/** What pulls leave behind for the next one, and how that one takes it over. */
import type { NamespacedClient } from "../client.ts";
import { ContainerdError } from "../errors.ts";
import { isOwn, ownerOf } from "../lease_owner.ts";
import type { RecoverOptions } from "../lease_recovery.ts";
import type { Lease, Resource } from "../leases.ts";
import type { CallOptions } from "../transport/transport.ts";

/** Tells whether the one who holds a lease still runs. */
export type IsAlive = RecoverOptions["isAlive"];

const operationLabel = "davit/operation";

/** Of a lease that nobody works with any more, though its process may still run. */
const leftLabel = "davit/left";

/** The labels of a pull's lease. */
export const pullLabels: Readonly<Record<string, string>> = { [operationLabel]: "images pull" };

/** Those whose leases a pull may leave. */
const operations: ReadonlySet<string | undefined> = new Set(["images pull", "images unpack"]);

/**
 * Puts what a lease holds under one that nobody works with, so that the next pull can tell. Resolves to whether that
 * succeeded; where containerd is lost, the lease itself has to stay.
 */
export async function leaveToNext(
  { leases }: NamespacedClient,
  { id }: Pick<Lease, "id">,
  options: CallOptions,
): Promise<boolean> {
  try {
    const labels = { ...pullLabels, [leftLabel]: "true" };
    const left = await leases.acquire({ prefix: "davit-left", labels }, options);
    for await (const resource of leases.listResources(id, options)) {
      await leases.addResource(left.id, resource, options);
    }
    return true;
  } catch (error) {
    if (error instanceof ContainerdError) return false; // a lease that holds a part ends with its day
    throw error;
  }
}

/**
 * Deletes the leases that earlier pulls have left, if the one of this pull holds what they do: nothing is lost with
 * them. Those of the living and of strangers stay, as do those with something for another image.
 */
export async function takeOver(
  { leases }: NamespacedClient,
  { id }: Pick<Lease, "id">,
  { isAlive, ...options }: CallOptions & { isAlive: IsAlive | undefined },
): Promise<void> {
  try {
    const left: Lease[] = [];
    for await (const lease of leases.list(options)) {
      const isPulls = lease.id !== id && isOwn(lease) && operations.has(lease.labels[operationLabel]);
      if (isPulls && await isLeft(lease, isAlive)) left.push(lease);
    }
    if (left.length === 0) return;
    const ours = await heldBy(leases.listResources(id, options));
    for (const lease of left) {
      const theirs = await heldBy(leases.listResources(lease.id, options));
      if (theirs.isSubsetOf(ours)) await leases.delete(lease.id, options);
    }
  } catch (error) {
    if (!(error instanceof ContainerdError)) throw error; // they end with their day
  }
}

async function isLeft(lease: Lease, isAlive: IsAlive | undefined): Promise<boolean> {
  if (lease.labels[leftLabel] !== undefined) return true;
  const owner = ownerOf(lease);
  return owner !== undefined && await isAlive?.(owner) === false;
}

/** The digests of what was downloaded, whole or in part. Snapshots are made anew from it. */
async function heldBy(resources: AsyncIterable<Resource>): Promise<Set<string>> {
  const digests = new Set<string>();
  for await (const { id, type } of resources) {
    if (type === "content") digests.add(id);
    else if (type === "ingests") digests.add(/^davit-(\w+:[0-9a-f]+)/.exec(id)?.[1] ?? id);
  }
  return digests;
}
