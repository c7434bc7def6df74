import type { NamespaceAccess } from "../client.ts";
import { findBrokenContainers } from "./containers.ts";
import type { Finding } from "./finding.ts";
import { findGarbage } from "./garbage.ts";
import { findLeftoverGroups } from "./groups.ts";
import { findBrokenImages } from "./images.ts";
import { findStaleIngests } from "./ingests.ts";
import { findIdleLeases } from "./leases.ts";
import { findEmptyNamespaces } from "./namespaces.ts";
import { findLeftoverPipes } from "./pipes.ts";
import { type Check, type DiagnoseOptions, readScene } from "./scene.ts";
import { findLeftoverShims } from "./shims.ts";
import { findMissingSnapshotters } from "./snapshotters.ts";
import { findOpenSocket } from "./socket.ts";
import { findOrphanedTasks } from "./tasks.ts";
import { findKnownHoles } from "./version.ts";

const checks: readonly Check[] = [
  findOpenSocket,
  findKnownHoles,
  findOrphanedTasks,
  findBrokenContainers,
  findBrokenImages,
  findMissingSnapshotters,
  findIdleLeases,
  findStaleIngests,
  findLeftoverShims,
  findLeftoverGroups,
  findLeftoverPipes,
  findGarbage,
  findEmptyNamespaces,
];

/**
 * Looks for what is wrong with a containerd and on its machine, and changes nothing. What cannot be looked at, such as
 * the processes of another machine, is passed over.
 *
 * ```ts
 * import { connect, diagnose } from "davit";
 *
 * async function example(address: string) {
 *   await using client = await connect({ address });
 *   const isAlive = () => Promise.resolve(undefined); // nobody can tell
 *   for await (const { what, why, commands } of diagnose(client, { address, isAlive })) {
 *     console.log(what, why, commands);
 *   }
 * }
 * ```
 *
 * @throws {NotFoundError} when there is no namespace of the name in `only`.
 */
export async function* diagnose(client: NamespaceAccess, options: DiagnoseOptions): AsyncIterable<Finding> {
  const scene = await readScene(client, options);
  for (const check of checks) yield* check(scene);
}
