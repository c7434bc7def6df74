import type { Mount } from "../../../mod.ts";
import { rootLabels } from "../../gc_root.ts";
import { parseLabels } from "../../labels.ts";
import { snapshotsOf, snapshotterOption } from "../../snapshotter.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Make a snapshot to read from, and show how to mount it",
  examples: ["snapshots view look", `snapshots view look sha256:${"0".repeat(64)} -o json`],
  args: [
    { name: "KEY", summary: "of the new snapshot" },
    { name: "PARENT", summary: "committed snapshot to read", optional: true, completes: "snapshot" },
  ],
  options: {
    label: { type: "list", placeholder: "KEY=VALUE", summary: "label to set" },
    ...snapshotterOption,
  },
  columns: [
    { header: "TYPE", key: "type" },
    { header: "SOURCE", key: "source" },
    { header: "OPTIONS", key: "options", as: "list" },
  ],
  async run(context): Promise<Mount[]> {
    const { args: [key = "", parent], options: { label }, namespaced, signal } = context;
    const labels = { ...rootLabels(), ...parseLabels(label) };
    const snapshots = await snapshotsOf(await namespaced(), context);
    return await snapshots.view({ key, parent, labels }, { signal });
  },
});
