import type { NamespaceAccess, NamespacedClient } from "../client.ts";
import { FailedPreconditionError } from "../errors.ts";
import { isExpired } from "../leases.ts";
import type { CallOptions } from "../transport/transport.ts";
import { deleteLeases, inTheWay, removalFailure } from "./removal.ts";

/**
 * Removes a namespace that holds no images and no containers; content and snapshots that nothing needs any more are
 * collected first.
 *
 * containerd itself ignores leases, and with the namespace takes away from whoever holds one what he is working on.
 * Therefore a lease that has not expired is in the way, unless `deleteLeases`.
 *
 * @throws {NotFoundError} when there is none of that name.
 * @throws {FailedPreconditionError} when it is not empty, when a lease is in the way, or when the namespace is there
 * again at once because something writes to it.
 */
export async function removeNamespace(
  client: NamespaceAccess,
  name: string,
  { deleteLeases: mayDeleteLeases = false, ...options }: CallOptions & { deleteLeases?: boolean } = {},
): Promise<void> {
  if (!(await client.namespaces.exists(name, options))) {
    throw removalFailure(name, { code: "not_found", reason: "not found" });
  }
  const inside = client.namespace(name);
  const leases = (await Array.fromAsync(inside.leases.list(options)))
    .flatMap((lease) => isExpired(lease) ? [] : [lease.id]);
  if (leases.length > 0 && !mayDeleteLeases) throw inTheWay(name, leases);
  try {
    await client.namespaces.delete(name, options);
  } catch (error) {
    if (!(error instanceof FailedPreconditionError) || await holdsRecords(inside, options)) throw error;
    await deleteLeases(inside, leases, options);
    await inside.leases.collectGarbage(options);
    await client.namespaces.delete(name, options);
  }
  if (await client.namespaces.exists(name, options)) {
    throw removalFailure(name, {
      code: "failed_precondition",
      reason: "it is there again, because something writes to it",
    });
  }
}

/** What only a user can decide to delete; all else in a namespace goes when nothing needs it. */
async function holdsRecords(
  { images, containers }: NamespacedClient,
  options: CallOptions,
): Promise<boolean> {
  for await (const _ of images.list(options)) return true;
  for await (const _ of containers.list(options)) return true;
  return false;
}
