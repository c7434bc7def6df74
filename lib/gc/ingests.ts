import type { NamespacedClient } from "../client.ts";
import type { Ingest } from "../content.ts";
import { NotFoundError } from "../errors.ts";
import { isExpired } from "../leases.ts";
import type { CallOptions } from "../transport/transport.ts";

/** An ingest to which nothing was written for a while. */
export interface StaleIngest extends Ingest {
  /** The lease that holds it, if one does that has not expired: its owner may come back. */
  lease: string | undefined;
}

/** How long an ingest must have rested, in milliseconds. */
export interface Staleness {
  /** Milliseconds since bytes last came. */
  olderThanMs: number;
}

/**
 * The ingests of a namespace to which nothing was written for `olderThanMs`.
 *
 * ```ts
 * import { abortStale, type NamespacedClient, staleIngests } from "davit";
 *
 * async function example(client: NamespacedClient) {
 *   for (const ingest of await staleIngests(client, { olderThanMs: 24 * 60 * 60 * 1000 })) {
 *     if (ingest.lease === undefined) await abortStale(client, ingest);
 *   }
 * }
 * ```
 */
export async function staleIngests(
  { content, leases }: NamespacedClient,
  { olderThanMs, ...options }: CallOptions & Staleness,
): Promise<StaleIngest[]> {
  const before = Date.now() - olderThanMs;
  const resting = (await Array.fromAsync(content.listStatuses(options)))
    .filter(({ updatedAt }) => updatedAt.getTime() <= before);
  if (resting.length === 0) return [];
  const holders = new Map<string, string>();
  for (const lease of await Array.fromAsync(leases.list(options))) {
    if (isExpired(lease)) continue;
    try {
      for await (const { id, type } of leases.listResources(lease.id, options)) {
        if (type === "ingests") holders.set(id, lease.id);
      }
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error; // it ended meanwhile
    }
  }
  return resting.map((ingest) => ({ ...ingest, lease: holders.get(ingest.ref) }));
}

/** Throws away what was written of an ingest, unless somebody went on writing it; resolves to whether it is gone. */
export async function abortStale(
  { content }: NamespacedClient,
  { ref, updatedAt }: Pick<Ingest, "ref" | "updatedAt">,
  options: CallOptions = {},
): Promise<boolean> {
  try {
    const now = await content.status(ref, options);
    if (now.updatedAt > updatedAt) return false;
    await content.abort(ref, options);
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error; // it was completed, or somebody was faster
  }
  return true;
}
