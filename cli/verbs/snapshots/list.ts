import { measureSnapshots, type NamespacedClient, type Snapshot, type SnapshotUsage } from "../../../mod.ts";
import { acrossNamespaces } from "../../across.ts";
import { snapshotsOf, snapshotterOption } from "../../snapshotter.ts";
import { defineVerb, type VerbContext } from "../../verb.ts";

/** Usage is its own, without its parents; absent when it is not shown. */
type Row = Snapshot & Partial<SnapshotUsage>;

export default defineVerb({
  summary: "List snapshots",
  examples: [
    "snapshots list",
    "snapshots list -A -o wide",
    "snapshots list kind==active --snapshotter native",
  ],
  args: [{ name: "FILTER", summary: "in containerd's syntax; default: all", optional: true, repeats: true }],
  options: snapshotterOption,
  columns: [
    { header: "KEY", key: "key" },
    { header: "PARENT", key: "parent" },
    { header: "KIND", key: "kind" },
    { header: "SIZE", key: "size", as: "bytes", wide: true },
    { header: "INODES", key: "inodes", wide: true },
    { header: "CREATED", key: "createdAt", as: "age", wide: true },
    { header: "LABELS", key: "labels", as: "labels", wide: true },
  ],
  acrossNamespaces: true,
  run(context): AsyncIterable<Row> {
    const what = context.args.length === 0 ? "snapshots" : "such snapshots";
    return acrossNamespaces(context, { what, rowsOf: (client) => rowsOf(client, context) });
  },
});

async function* rowsOf(
  client: NamespacedClient,
  context: VerbContext<typeof snapshotterOption>,
): AsyncIterable<Row> {
  const { args, wide, signal } = context;
  const snapshots = await snapshotsOf(client, context);
  const found = snapshots.list({ filters: [...args], signal });
  yield* wide ? measureSnapshots(snapshots, found, { signal }) : found;
}
