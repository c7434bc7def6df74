import type { CallOptions, Mount, NewSnapshot, Snapshots } from "../mod.ts";
import { rootLabels } from "./gc_root.ts";
import { parseLabels } from "./labels.ts";
import { snapshotsOf, snapshotterOption } from "./snapshotter.ts";
import { defineVerb, type Verb } from "./verb.ts";

const options = {
  label: { type: "list", placeholder: "KEY=VALUE", summary: "label to set" },
  ...snapshotterOption,
} as const;

/** A verb that makes a snapshot and shows how to mount it. */
export function newSnapshotVerb({ summary, examples, parent, make }: {
  summary: string;
  examples: readonly string[];
  /** What the snapshot that it is made of is for. */
  parent: string;
  make(snapshots: Snapshots, snapshot: NewSnapshot, options: CallOptions): Promise<Mount[]>;
}): Verb {
  return defineVerb({
    summary,
    examples,
    args: [
      { name: "KEY", summary: "of the new snapshot" },
      { name: "PARENT", summary: parent, optional: true, completes: "snapshot" },
    ],
    options,
    columns: [
      { header: "TYPE", key: "type" },
      { header: "SOURCE", key: "source" },
      { header: "OPTIONS", key: "options", as: "list" },
    ],
    async run(context): Promise<Mount[]> {
      const { args: [key = "", parent], options: { label }, namespaced, signal } = context;
      const labels = { ...rootLabels(), ...parseLabels(label) };
      return await make(await snapshotsOf(await namespaced(), context), { key, parent, labels }, { signal });
    },
  });
}
