/** What removing a namespace and purging it have in common. */
import type { NamespacedClient } from "../client.ts";
import { mapConcurrent } from "../concurrency.ts";
import { type ContainerdError, containerdError, type ErrorDetails, NotFoundError } from "../errors.ts";
import type { CallOptions } from "../transport/transport.ts";

const deletionsAtOnce = 8;

/** Deletes leases of which some may have ended by now. */
export async function deleteLeases(
  { leases }: NamespacedClient,
  ids: readonly string[],
  options: CallOptions,
): Promise<void> {
  for (const id of ids) await unlessGone(leases.delete(id, options));
}

/** Does the same with each of several things, with a few at once. */
export async function drain<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  for await (const _ of mapConcurrent(items, work, { limit: deletionsAtOnce })) {
    /* only to wait for them */
  }
}

/** Waits for a deletion of what may be gone already. */
export async function unlessGone(deletion: Promise<unknown>): Promise<void> {
  await deletion.catch((error) => {
    if (!(error instanceof NotFoundError)) throw error;
  });
}

/** The error for leases of others in a namespace. */
export function inTheWay(name: string, [first = "", ...others]: readonly string[]): ContainerdError {
  const more = others.length === 0 ? "" : ` and ${others.length} more`;
  return removalFailure(name, {
    code: "failed_precondition",
    reason: `somebody holds lease ${JSON.stringify(first)}${more} in it`,
  });
}

/** Why a namespace is not removed. */
export function removalFailure(
  name: string,
  { code, reason }: Pick<ErrorDetails, "code" | "reason">,
): ContainerdError {
  return containerdError({
    code,
    reason,
    outcome: "refused",
    action: "remove",
    resource: `namespace ${JSON.stringify(name)}`,
  });
}
