import type { NamespacedClient, Snapshot } from "../../../mod.ts";
import { acrossNamespaces } from "../../across.ts";
import { snapshotsOf, snapshotterOption } from "../../snapshotter.ts";
import { defineVerb, type VerbContext } from "../../verb.ts";

interface Row extends Snapshot {
  /** The key, drawn below that of its parent. */
  drawn: string;
  /** How many parents it has. */
  depth: number;
}

export default defineVerb({
  summary: "List snapshots as a tree, each below its parent",
  examples: ["snapshots tree", "snapshots tree -A -o wide"],
  options: snapshotterOption,
  columns: [
    { header: "KEY", key: "drawn" },
    { header: "KIND", key: "kind" },
    { header: "CREATED", key: "createdAt", as: "age", wide: true },
    { header: "LABELS", key: "labels", as: "labels", wide: true },
  ],
  acrossNamespaces: true,
  run(context): AsyncIterable<Row> {
    return acrossNamespaces(context, { what: "snapshots", rowsOf: (client) => rowsOf(client, context) });
  },
});

async function* rowsOf(
  client: NamespacedClient,
  context: VerbContext<typeof snapshotterOption>,
): AsyncIterable<Row> {
  const { quiet, signal } = context;
  const all = await Array.fromAsync((await snapshotsOf(client, context)).list({ signal }));
  const keys = new Set(all.map(({ key }) => key));
  const children = Map.groupBy(all, ({ parent }) => (keys.has(parent) ? parent : ""));
  const below = (parent: string, depth: number) =>
    (children.get(parent) ?? []).map((snapshot) => ({ snapshot, depth }));
  const waiting = below("", 0).reverse();
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { snapshot, depth } = next;
    // As ctr draws it.
    const drawn = quiet || depth === 0 ? snapshot.key : `${"  ".repeat(depth)}\\_ ${snapshot.key}`;
    yield { ...snapshot, drawn, depth };
    waiting.push(...below(snapshot.key, depth + 1).reverse());
  }
}
