import type { NamespaceAccess, NamespacedClient } from "../client.ts";
import { FailedPreconditionError } from "../errors.ts";
import { isExpired } from "../leases.ts";
import { knownSandboxes } from "../sandboxes.ts";
import type { CallOptions } from "../transport/transport.ts";
import { removeGroup } from "./groups.ts";
import { deleteLeases, inTheWay, removalFailure } from "./removal.ts";

/** How to remove a namespace. */
export interface RemoveNamespaceOptions extends CallOptions {
  /** Also when somebody holds a lease. */
  deleteLeases?: boolean | undefined;
  /** Also its control group on this machine, which its containers leave. */
  cgroup?: boolean | undefined;
}

/**
 * Removes a namespace that holds no images, no containers and no sandboxes; content and snapshots that nothing needs any
 * more are collected first.
 *
 * containerd itself ignores leases, and with the namespace takes away from whoever holds one what he is working on.
 * Therefore a lease that has not expired is in the way, unless `deleteLeases`.
 *
 * ```ts
 * import { FailedPreconditionError, type NamespaceAccess, removeNamespace } from "davit";
 *
 * async function example(client: NamespaceAccess) {
 *   try {
 *     await removeNamespace(client, "old");
 *   } catch (error) {
 *     if (!(error instanceof FailedPreconditionError)) throw error;
 *     console.log(error.reason);
 *   }
 * }
 * ```
 *
 * @throws {NotFoundError} when there is none of that name.
 * @throws {FailedPreconditionError} when it is not empty, when a lease is in the way, or when the namespace is there
 * again at once because something writes to it.
 */
export async function removeNamespace(
  client: NamespaceAccess,
  name: string,
  { deleteLeases: mayDeleteLeases = false, cgroup = false, ...options }: RemoveNamespaceOptions = {},
): Promise<void> {
  if (!(await client.namespaces.exists(name, options))) {
    throw removalFailure(name, { code: "not_found", reason: "not found" });
  }
  const inside = client.namespace(name);
  for await (const _ of knownSandboxes(inside, options)) {
    // containerd would forget them (2.x), or keep them for whoever gives a namespace the same name (1.7).
    throw removalFailure(name, {
      code: "failed_precondition",
      reason: "it must be empty, but it still has sandboxes",
    });
  }
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
  if (cgroup) await removeGroup(name);
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
