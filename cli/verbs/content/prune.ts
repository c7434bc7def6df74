import { abortStale, executeCollection, mapNamespaces, planCollection, staleIngests } from "../../../mod.ts";
import { formatBytes } from "../../format.ts";
import { describeFreed } from "../../freed.ts";
import { defineVerb } from "../../verb.ts";

interface Row {
  namespace: string;
  /** The digest of a blob, or the ref of what was to become one. */
  content: string;
  kind: "blob" | "ingest";
  size: number;
  status: "removed" | "kept" | "would be removed";
  reason: string;
}

export default defineVerb({
  summary: "Remove blobs that nothing refers to, and writes that were given up",
  examples: ["content prune --dry-run", "content prune -A --older-than 7d --yes"],
  options: {
    olderThan: {
      type: "duration",
      default: 86_400_000,
      summary: "only writes to which nothing was added for this time",
    },
  },
  columns: [
    { header: "CONTENT", key: "content" },
    { header: "KIND", key: "kind" },
    { header: "SIZE", key: "size", as: "bytes" },
    { header: "STATUS", key: "status" },
    { header: "REASON", key: "reason" },
  ],
  plans: true,
  repeatable: true,
  asks: () => true,
  acrossNamespaces: true,
  async *run(context): AsyncIterable<Row> {
    const { options: { olderThan }, namespace, allNamespaces, dryRun, client, confirm, log, signal } =
      context;
    const connection = await client();
    const isAsked = (name: string) => allNamespaces || name === namespace;
    const { garbage, freed } = await planCollection(connection, { signal });
    const blobs = garbage.filter((part) => part.kind === "content" && isAsked(part.namespace));
    const ingests = (await Array.fromAsync(mapNamespaces(connection, async (inside) => {
      if (!isAsked(inside.name)) return [];
      const stale = await staleIngests(inside, { olderThanMs: olderThan, signal });
      return stale.map((ingest) => ({ inside, ingest }));
    }, { signal }))).flat();
    const stale = ingests.filter(({ ingest }) => ingest.lease === undefined);
    const bytes = formatBytes(stale.reduce((sum, { ingest }) => sum + ingest.offset, 0));
    if (blobs.length > 0) {
      log.info(
        `The collection, of all namespaces, ${dryRun ? "would free" : "frees"} ${describeFreed(freed)}`,
      );
    }
    const what = `${blobs.length} blobs, and ${stale.length} unfinished writes of ${bytes}`;
    if (!dryRun && blobs.length + stale.length > 0) await confirm(`Remove ${what}?`);

    for (const { inside, ingest } of ingests) {
      const { ref, offset, updatedAt, lease } = ingest;
      const row = { namespace: inside.name, content: ref, kind: "ingest" as const, size: offset };
      if (lease !== undefined) {
        yield { ...row, status: "kept", reason: `lease ${JSON.stringify(lease)} holds it` };
        continue;
      }
      const isGone = dryRun || await abortStale(inside, ingest, { signal });
      yield isGone
        ? {
          ...row,
          status: dryRun ? "would be removed" : "removed",
          reason: `nothing was written since ${updatedAt.toISOString()}`,
        }
        : { ...row, status: "kept", reason: "somebody goes on with it" };
    }
    const planned = blobs.map((blob) => ({ ...blob, status: "would be removed" as const }));
    const results = dryRun ? planned : executeCollection(connection, blobs, { signal });
    for await (const { namespace, id, size = 0, status, reason } of results) {
      yield { namespace, content: id, kind: "blob", size, status, reason };
    }
  },
});
