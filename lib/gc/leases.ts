import type { NamespacedClient } from "../client.ts";
import { NotFoundError } from "../errors.ts";
import { isOwn, ownerOf } from "../lease_owner.ts";
import type { RecoverOptions } from "../lease_recovery.ts";
import { isExpired, type Lease } from "../leases.ts";
import type { CallOptions } from "../transport/transport.ts";

/** A lease, and whether it may go. */
export interface JudgedLease extends Lease {
  /** Whether it may go. */
  action: "keep" | "remove";
  /** In words. */
  reason: string;
}

/**
 * Judges the leases of a namespace: those may go that have expired, and those that davit took in a run that died.
 * Whoever holds another is at work.
 *
 * ```ts
 * import { deleteJudged, judgeLeases, type NamespacedClient } from "davit";
 *
 * async function example(client: NamespacedClient) {
 *   const isAlive = () => Promise.resolve(undefined); // nobody can tell, so only those go that have expired
 *   for (const lease of await judgeLeases(client, { isAlive })) {
 *     if (lease.action === "remove") await deleteJudged(client, lease);
 *   }
 * }
 * ```
 */
export async function judgeLeases(
  { leases }: NamespacedClient,
  { isAlive, ...options }: CallOptions & Pick<RecoverOptions, "isAlive">,
): Promise<JudgedLease[]> {
  const all = await Array.fromAsync(leases.list(options));
  return await Promise.all(all.map(async (lease) => ({ ...lease, ...await judge(lease, isAlive) })));
}

/** Deletes a lease that was judged; resolves to whether it was still there. */
export async function deleteJudged(
  { leases }: NamespacedClient,
  { id }: Pick<Lease, "id">,
  options: CallOptions = {},
): Promise<boolean> {
  try {
    await leases.delete(id, options);
    return true;
  } catch (error) {
    if (error instanceof NotFoundError) return false;
    throw error;
  }
}

async function judge(
  lease: Lease,
  isAlive: RecoverOptions["isAlive"],
): Promise<Pick<JudgedLease, "action" | "reason">> {
  if (isExpired(lease)) return { action: "remove", reason: "it has expired" };
  if (!isOwn(lease)) return { action: "keep", reason: "somebody else holds it" };
  const owner = ownerOf(lease);
  if (owner === undefined) return { action: "keep", reason: "it does not say who holds it" };
  const alive = await isAlive(owner);
  if (alive === false) return { action: "remove", reason: `process ${owner.pid}, which held it, is dead` };
  return alive
    ? { action: "keep", reason: `process ${owner.pid} holds it` }
    : { action: "keep", reason: `whether process ${owner.pid} still runs cannot be told` };
}
