import type { NamespacedClient, Snapshot } from "../../../mod.ts";
import { acrossNamespaces } from "../../across.ts";
import { withCells } from "../../cells.ts";
import { snapshotsOf, snapshotterOption } from "../../snapshotter.ts";
import { defineVerb, type VerbContext } from "../../verb.ts";

interface Row extends Snapshot {
  /** How many parents it has. */
  depth: number;
}

interface Cells {
  /** The key, drawn below that of its parent. */
  drawn: string;
}

export default defineVerb({
  summary: "List snapshots as a tree, each below its parent",
  examples: ["snapshots tree", "snapshots tree -A -o wide"],
  options: snapshotterOption,
  columns: [
    { header: "KEY", key: "drawn", csv: ["key", "parent", "depth"] },
    { header: "KIND", key: "kind" },
    { header: "CREATED", key: "createdAt", as: "age", wide: true },
    { header: "LABELS", key: "labels", as: "labels", wide: true },
  ],
  acrossNamespaces: true,
  async *run(context): AsyncIterable<Row & Cells> {
    const rows = acrossNamespaces(context, {
      what: "snapshots",
      rowsOf: (client) => rowsOf(client, context),
    });
    for await (const row of rows) {
      // As ctr draws it.
      const drawn = context.quiet || row.depth === 0 ? row.key : `${"  ".repeat(row.depth)}\\_ ${row.key}`;
      yield withCells(row, { drawn });
    }
  },
});

async function* rowsOf(
  client: NamespacedClient,
  context: VerbContext<typeof snapshotterOption>,
): AsyncIterable<Row> {
  const { signal } = context;
  const all = await Array.fromAsync((await snapshotsOf(client, context)).list({ signal }));
  const keys = new Set(all.map(({ key }) => key));
  const children = Map.groupBy(all, ({ parent }) => (keys.has(parent) ? parent : ""));
  const below = (parent: string, depth: number) =>
    (children.get(parent) ?? []).map((snapshot) => ({ snapshot, depth }));
  const waiting = below("", 0).reverse();
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { snapshot, depth } = next;
    yield { ...snapshot, depth };
    waiting.push(...below(snapshot.key, depth + 1).reverse());
  }
}
