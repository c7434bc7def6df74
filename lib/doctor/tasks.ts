import { quoted } from "../oci/quoted.ts";
import { davitIn, type Finding } from "./finding.ts";
import type { NamespaceScene, Scene } from "./scene.ts";
import type { CallOptions } from "../transport/transport.ts";

/** Finds tasks whose container's record is gone: containerd does not find them any more, whatever is asked. */
export async function* findOrphanedTasks({ namespaces, options }: Scene): AsyncIterable<Finding> {
  for (const scene of namespaces) {
    const ids = new Set(scene.containers.map(({ id }) => id));
    const suspects = scene.tasks.filter(({ id }) => !ids.has(id));
    if (suspects.length === 0) continue;
    const isStill = await orphansNow(scene, options);
    for (const { id, pid, status } of suspects) {
      if (!isStill.has(id)) continue;
      yield {
        check: "task-without-container",
        severity: "error",
        namespace: scene.name,
        what: `task ${quoted(id)}`,
        why: `its container was deleted; it is ${status} as process ${pid}, and nobody can reach it`,
        // With a record, whichever, it is found again.
        commands: [
          davitIn(scene.name, "containers", "create", "--rootfs", "/", id, "true"),
          davitIn(scene.name, "containers", "remove", "--force", id),
        ],
      };
    }
  }
}

/** Looks once more: containers come and go between two lists. */
async function orphansNow({ inside }: NamespaceScene, options: CallOptions): Promise<ReadonlySet<string>> {
  const tasks = await Array.fromAsync(inside.tasks.list(options), ({ id }) => id);
  const ids = new Set(await Array.fromAsync(inside.containers.list(options), ({ id }) => id));
  return new Set(tasks.filter((id) => !ids.has(id)));
}
