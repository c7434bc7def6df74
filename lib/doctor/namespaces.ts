import { quoted } from "../oci/quoted.ts";
import type { Finding } from "./finding.ts";
import type { Scene } from "./scene.ts";

/** Those that others make, and expect to be there. */
const expected: ReadonlySet<string> = new Set(["buildkit", "default", "k8s.io", "moby"]);

/** Finds namespaces without anything in them; who gave one labels meant it. */
export function* findEmptyNamespaces({ namespaces }: Scene): Iterable<Finding> {
  for (const { name, labels, graph, ingests, ...lists } of namespaces) {
    const { images, containers, tasks, sandboxes, leases } = lists;
    const records = [images, containers, tasks, sandboxes, leases].reduce(
      (sum, list) => sum + list.length,
      0,
    );
    if (graph.nodes.size + ingests + records > 0 || expected.has(name) || Object.keys(labels).length > 0) {
      continue;
    }
    yield {
      check: "empty-namespace",
      severity: "note",
      namespace: name,
      what: `namespace ${quoted(name)}`,
      why: "there is nothing in it; a mistyped -n makes such ones",
      commands: [["davit", "namespaces", "remove", name]],
    };
  }
}
