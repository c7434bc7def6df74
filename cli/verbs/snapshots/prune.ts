import { executeCollection, planCollection } from "../../../mod.ts";
import { describeFreed } from "../../freed.ts";
import { defineVerb } from "../../verb.ts";

interface Row {
  namespace: string;
  key: string;
  snapshotter: string;
  status: "removed" | "kept" | "would be removed";
  reason: string;
}

export default defineVerb({
  summary: "Remove snapshots that nothing refers to",
  examples: ["snapshots prune --dry-run", "snapshots prune -A --yes"],
  columns: [
    { header: "KEY", key: "key" },
    { header: "SNAPSHOTTER", key: "snapshotter" },
    { header: "STATUS", key: "status" },
    { header: "REASON", key: "reason" },
  ],
  plans: true,
  repeatable: true,
  asks: () => true,
  acrossNamespaces: true,
  async *run(context): AsyncIterable<Row> {
    const { namespace, allNamespaces, dryRun, client, confirm, log, signal } = context;
    const connection = await client();
    const { garbage, freed } = await planCollection(connection, { signal });
    const snapshots = garbage.filter((part) =>
      part.kind === "snapshot" && (allNamespaces || part.namespace === namespace)
    );
    if (snapshots.length === 0) return;
    log.info(`The collection, of all namespaces, ${dryRun ? "would free" : "frees"} ${describeFreed(freed)}`);
    if (!dryRun) await confirm(`Remove ${snapshots.length} snapshots?`);
    const planned = snapshots.map((snapshot) => ({ ...snapshot, status: "would be removed" as const }));
    const results = dryRun ? planned : executeCollection(connection, snapshots, { signal });
    for await (const { namespace, id, status, reason } of results) {
      const [snapshotter = "", ...rest] = id.split("/");
      yield { namespace, key: rest.join("/"), snapshotter, status, reason };
    }
  },
});
