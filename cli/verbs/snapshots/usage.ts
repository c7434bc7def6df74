import { measureSnapshots, type NamespacedClient, type SnapshotUsage } from "../../../mod.ts";
import { acrossNamespaces } from "../../across.ts";
import { each } from "../../each.ts";
import { UsageError } from "../../errors.ts";
import { snapshotsOf, snapshotterOption } from "../../snapshotter.ts";
import { defineVerb, type VerbContext } from "../../verb.ts";

interface Row extends SnapshotUsage {
  key: string;
}

export default defineVerb({
  summary: "Show what snapshots take, each without its parents",
  examples: ["snapshots usage", "snapshots usage -A", "snapshots usage web-1 -o json"],
  args: [{
    name: "KEY",
    summary: "snapshot; default: all",
    optional: true,
    repeats: true,
    completes: "snapshot",
  }],
  options: snapshotterOption,
  columns: [
    { header: "KEY", key: "key" },
    { header: "SIZE", key: "size", as: "bytes" },
    { header: "INODES", key: "inodes" },
  ],
  acrossNamespaces: true,
  async *run(context): AsyncIterable<Row> {
    const { args, allNamespaces, namespaced, signal } = context;
    if (args.length === 0) {
      const rowsOf = (client: NamespacedClient) => rowsOfAll(client, context);
      return yield* acrossNamespaces(context, { what: "snapshots", rowsOf });
    }
    if (allNamespaces) {
      throw new UsageError("Cannot use --all-namespaces with keys: each is of one namespace");
    }
    const snapshots = await snapshotsOf(await namespaced(), context);
    const work = async (key: string) => ({ key, ...await snapshots.usage(key, { signal }) });
    yield* each(args, { context, work });
  },
});

async function* rowsOfAll(
  client: NamespacedClient,
  context: VerbContext<typeof snapshotterOption>,
): AsyncIterable<Row> {
  const { signal } = context;
  const snapshots = await snapshotsOf(client, context);
  for await (const measured of measureSnapshots(snapshots, snapshots.list({ signal }), { signal })) {
    const { key, size, inodes } = measured;
    yield { key, size, inodes };
  }
}
