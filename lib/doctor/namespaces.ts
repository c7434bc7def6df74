import { quoted } from "../oci/quoted.ts";
import type { Finding } from "./finding.ts";
import type { Scene } from "./scene.ts";

/** Those that others make, and expect to be there. */
const expected: ReadonlySet<string> = new Set(["buildkit", "default", "k8s.io", "moby"]);

/** Finds namespaces without anything in them; who gave one labels meant it. */
export function* findEmptyNamespaces({ namespaces }: Scene): Iterable<Finding> {
  for (const { name, labels, graph, images, containers, tasks, leases, ingests } of namespaces) {
    const holds = graph.nodes.size + images.length + containers.length + tasks.length + leases.length +
      ingests;
    if (holds > 0 || expected.has(name) || Object.keys(labels).length > 0) continue;
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
