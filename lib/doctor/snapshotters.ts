import { quoted } from "../oci/quoted.ts";
import { davitIn, type Finding } from "./finding.ts";
import type { Scene } from "./scene.ts";

const defaultLabel = "containerd.io/defaults/snapshotter";

/** Finds snapshotters that images were unpacked to, or that a namespace has for its default, and that do not run. */
export function* findMissingSnapshotters({ namespaces, snapshotters }: Scene): Iterable<Finding> {
  for (const { name: namespace, labels, graph } of namespaces) {
    const named = new Set(labels[defaultLabel] === undefined ? [] : [labels[defaultLabel]]);
    const isDefault = new Set(named);
    for (const { references } of graph.nodes.values()) {
      for (const reference of references) {
        const [, snapshotter] = /^snapshot ([^/]+)\//.exec(reference) ?? [];
        if (snapshotter !== undefined) named.add(snapshotter);
      }
    }
    for (const snapshotter of named) {
      if (snapshotters.includes(snapshotter)) continue;
      yield {
        check: "snapshotter-not-loaded",
        severity: isDefault.has(snapshotter) ? "error" : "warning",
        namespace,
        what: `snapshotter ${quoted(snapshotter)}`,
        why: isDefault.has(snapshotter)
          ? "it is the namespace's default, and containerd has not or could not start it"
          : "images were unpacked to it, and containerd has not or could not start it",
        commands: isDefault.has(snapshotter)
          ? [davitIn(namespace, "namespaces", "label", namespace, `${defaultLabel}=`)]
          : [["davit", "daemon", "plugins"]],
      };
    }
  }
}
