import { parseLabels } from "../../labels.ts";
import { snapshotsOf, snapshotterOption } from "../../snapshotter.ts";
import { defineVerb } from "../../verb.ts";

interface Row {
  key: string;
  /** All that it has now. */
  labels: Record<string, string>;
}

export default defineVerb({
  summary: "Set and remove labels of a snapshot, or show them",
  examples: ["snapshots label work owner=ci"],
  args: [
    { name: "KEY", summary: "snapshot", completes: "snapshot" },
    {
      name: "KEY=VALUE",
      summary: "KEY= removes, KEY alone stands for KEY=true; without, nothing changes",
      optional: true,
      repeats: true,
    },
  ],
  options: snapshotterOption,
  columns: [
    { header: "KEY", key: "key" },
    { header: "LABELS", key: "labels", as: "labels" },
  ],
  async run(context): Promise<Row> {
    const { args: [key = "", ...words], namespaced, signal } = context;
    const change = parseLabels(words);
    const snapshots = await snapshotsOf(await namespaced(), context);
    const { labels } = await snapshots.update(key, { labels: change, signal });
    return { key, labels };
  },
});
