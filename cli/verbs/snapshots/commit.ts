import { rootLabels } from "../../gc_root.ts";
import { parseLabels } from "../../labels.ts";
import { snapshotsOf, snapshotterOption } from "../../snapshotter.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Make a snapshot that was written to a parent for others, under a new name",
  examples: ["snapshots commit base work"],
  args: [
    { name: "KEY", summary: "of the committed snapshot" },
    {
      name: "ACTIVE",
      summary: "snapshot that was written to; it is no more afterwards",
      completes: "snapshot",
    },
  ],
  options: {
    label: { type: "list", placeholder: "KEY=VALUE", summary: "label to set" },
    ...snapshotterOption,
  },
  async run(context): Promise<string> {
    const { args: [name = "", key = ""], options: { label }, namespaced, signal } = context;
    const labels = { ...rootLabels(), ...parseLabels(label) };
    const snapshots = await snapshotsOf(await namespaced(), context);
    await snapshots.commit({ name, key, labels }, { signal });
    return name;
  },
});
