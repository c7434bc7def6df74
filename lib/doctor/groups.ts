import { join } from "@std/path";
import { foldersIn, groupFolders } from "../namespace/groups.ts";
import { quoted } from "../oci/quoted.ts";
import type { Finding } from "./finding.ts";
import type { Scene } from "./scene.ts";

/** Finds control groups of containers that have no task, and no process either. */
export async function* findLeftoverGroups({ namespaces, groups, youngMs }: Scene): AsyncIterable<Finding> {
  for (const { name: namespace, tasks } of namespaces) {
    const ids = new Set(tasks.map(({ id }) => id));
    const left = new Map<string, string[]>();
    for (const group of await groupFolders(namespace, groups)) {
      for (const id of await foldersIn(group)) {
        const folder = join(group, id);
        if (!ids.has(id) && await isIdle(folder, youngMs)) left.set(id, [...left.get(id) ?? [], folder]);
      }
    }
    for (const [id, folders] of left) {
      yield {
        check: "leftover-cgroup",
        severity: "note",
        namespace,
        what: `cgroup ${quoted(`/${namespace}/${id}`)}`,
        why: "it was a container's, of which no task and no process is left",
        commands: [["rmdir", ...folders]],
      };
    }
  }
}

/** A control group without processes and without groups below it, which is not just coming into being. */
async function isIdle(folder: string, youngMs: number): Promise<boolean> {
  try {
    const [processes, { mtime }] = [
      await Deno.readTextFile(join(folder, "cgroup.procs")),
      await Deno.stat(folder),
    ];
    const age = Date.now() - (mtime?.getTime() ?? Date.now());
    return processes.trim() === "" && age >= youngMs && (await foldersIn(folder)).length === 0;
  } catch {
    return false; // no control group, or gone by now
  }
}
