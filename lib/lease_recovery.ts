import type { NamespacedClient } from "./client.ts";
import { NotFoundError } from "./errors.ts";
import { isOwn, type LeaseOwner, ownerOf } from "./lease_owner.ts";
import type { Lease } from "./leases.ts";
import type { CallOptions } from "./transport/transport.ts";

/** A lease that davit made, and what became of it. */
export interface RecoveredLease {
  /** The lease; its id is unique in its namespace. */
  id: string;
  /** When it was created. */
  createdAt: Date;
  /** Absent when the lease does not say. */
  owner?: LeaseOwner;
  /** `"alive"`: its owner still runs. `"unknown"`: that cannot be told; the lease is left as well. */
  status: "removed" | "alive" | "unknown" | "failed";
  /** Why it was left. */
  reason?: string;
  /** Why it could not be deleted. */
  error?: unknown;
}

/** How to recover leases. */
export interface RecoverOptions extends CallOptions {
  /** Whether a process still runs; `undefined` when that cannot be told. */
  isAlive(owner: LeaseOwner): Promise<boolean | undefined>;
  /** Deletes nothing, and tells what would be. */
  dryRun?: boolean | undefined;
}

/**
 * Deletes the leases that davit made in runs that died, and with them what of their writes never was complete. All
 * others stay: those of somebody else are not even named.
 *
 * ```ts
 * import { type NamespacedClient, recoverLeases } from "davit";
 *
 * async function example(client: NamespacedClient) {
 *   const isAlive = () => Promise.resolve(false); // nothing of davit runs here
 *   for await (const { id, status } of recoverLeases(client, { isAlive })) console.log(id, status);
 * }
 * ```
 */
export async function* recoverLeases(
  { leases }: NamespacedClient,
  { isAlive, dryRun = false, ...options }: RecoverOptions,
): AsyncIterable<RecoveredLease> {
  for (const lease of (await Array.fromAsync(leases.list(options))).filter(isOwn)) {
    const left = await reasonToLeave(lease, isAlive);
    const result = resultOf(lease);
    if (left !== undefined) {
      yield { ...result, ...left };
      continue;
    }
    try {
      if (!dryRun) await leases.delete(lease.id, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (error instanceof NotFoundError) continue; // somebody was faster
      yield { ...result, status: "failed", error };
      continue;
    }
    yield { ...result, status: "removed" };
  }
}

async function reasonToLeave(
  lease: Lease,
  isAlive: RecoverOptions["isAlive"],
): Promise<Pick<RecoveredLease, "status" | "reason"> | undefined> {
  const owner = ownerOf(lease);
  if (owner === undefined) return { status: "unknown", reason: "it does not say who holds it" };
  const alive = await isAlive(owner);
  if (alive === false) return undefined;
  return alive
    ? { status: "alive", reason: `process ${owner.pid} holds it` }
    : { status: "unknown", reason: `whether process ${owner.pid} still runs cannot be told` };
}

function resultOf(lease: Lease): Pick<RecoveredLease, "id" | "createdAt" | "owner"> {
  const owner = ownerOf(lease);
  return { id: lease.id, createdAt: lease.createdAt, ...(owner && { owner }) };
}
