import { quoted } from "../oci/quoted.ts";
import { argument, davitIn, type Finding } from "./finding.ts";
import type { Scene } from "./scene.ts";

/** Finds writes that were given up. Those of davit that no lease holds are safe to throw away. */
export function* findStaleIngests({ namespaces }: Scene): Iterable<Finding> {
  for (const { name: namespace, stale } of namespaces) {
    for (const { ref, offset, updatedAt, lease } of stale) {
      const held = lease === undefined ? "" : `, and lease ${quoted(lease)} holds it`;
      yield {
        check: "stale-ingest",
        severity: "warning",
        namespace,
        what: `ingest ${quoted(ref)}`,
        why: `nothing was written to it since ${updatedAt.toISOString()}${held}; it takes ${offset} bytes`,
        commands: [davitIn(namespace, "content", "abort", ...argument(ref))],
        ...(lease === undefined && ref.startsWith("davit-") && { mend: { kind: "ingest", ref, updatedAt } }),
      };
    }
  }
}
