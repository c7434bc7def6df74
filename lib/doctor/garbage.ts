import { garbageOf } from "../gc/garbage.ts";
import { davitIn, type Finding } from "./finding.ts";
import type { Scene } from "./scene.ts";

const kinds = [
  { kind: "content", check: "blob-without-root", noun: "content", one: "blob" },
  { kind: "snapshot", check: "orphaned-snapshot", noun: "snapshots", one: "snapshot" },
] as const;

/** Finds blobs and snapshots that nothing refers to. */
export function* findGarbage({ namespaces }: Scene): Iterable<Finding> {
  for (const { name, graph } of namespaces) {
    const garbage = garbageOf(graph);
    for (const { kind, check, noun, one } of kinds) {
      const parts = garbage.filter((part) => part.kind === kind);
      if (parts.length === 0) continue;
      const bytes = parts.reduce((sum, { size = 0 }) => sum + size, 0);
      yield {
        check,
        severity: "note",
        namespace: name,
        what: `${parts.length} ${one}${parts.length === 1 ? "" : "s"}` +
          (kind === "content" ? ` of ${bytes} bytes` : ""),
        why: "nothing refers to them; they take space until containerd collects them",
        commands: [davitIn(name, noun, "prune", "--yes")],
        mend: { kind: "garbage" },
      };
    }
  }
}
