import {
  deleteJudged,
  foreseeFreed,
  type JudgedLease,
  judgeLeases,
  loadGraphs,
  type NamespacedClient,
} from "../../../mod.ts";
import { acrossNamespaces } from "../../across.ts";
import { describeFreed } from "../../freed.ts";
import { isAlive, thisOwner } from "../../owner.ts";
import { defineVerb } from "../../verb.ts";

interface Row extends Pick<JudgedLease, "id" | "createdAt" | "reason"> {
  namespace: string;
  status: "removed" | "kept" | "would be removed" | "failed";
}

export default defineVerb({
  summary: "Remove leases that have expired, and those of davit's runs that died",
  examples: ["leases prune --dry-run", "leases prune -A --yes"],
  columns: [
    { header: "ID", key: "id" },
    { header: "CREATED AT", key: "createdAt", as: "age" },
    { header: "STATUS", key: "status" },
    { header: "REASON", key: "reason" },
  ],
  plans: true,
  repeatable: true,
  asks: () => true,
  acrossNamespaces: true,
  async *run(context): AsyncIterable<Row> {
    const { dryRun, client, confirm, failed, log, signal } = context;
    const connection = await client();
    const here = await thisOwner();
    const judge = async function* (inside: NamespacedClient) {
      const judged = await judgeLeases(inside, { isAlive: (owner) => isAlive(owner, here), signal });
      yield* judged.map((lease) => ({ inside, lease }));
    };
    const judged = await Array.fromAsync(acrossNamespaces(context, { rowsOf: judge }));
    const going = judged.filter(({ lease }) => lease.action === "remove");
    if (going.length > 0) {
      const gone = new Set(going.map(({ inside, lease }) => JSON.stringify([inside.name, lease.id])));
      const freed = await foreseeFreed(connection, await loadGraphs(connection, { signal }), {
        isGone: ({ kind, name }, namespace) =>
          kind === "lease" && gone.has(JSON.stringify([namespace, name])),
        signal,
      });
      log.info(
        `Removing ${going.length} of ${judged.length} leases ${dryRun ? "would free" : "frees"} ` +
          describeFreed(freed),
      );
      if (!dryRun) await confirm(`Remove ${going.length} of ${judged.length} leases?`);
    }
    for (const { inside, lease } of judged) {
      const { id, createdAt, action, reason } = lease;
      const row = { namespace: inside.name, id, createdAt, reason };
      if (action === "keep" || dryRun) {
        yield { ...row, status: action === "keep" ? "kept" : "would be removed" };
        continue;
      }
      try {
        if (await deleteJudged(inside, lease, { signal })) yield { ...row, status: "removed" };
      } catch (error) {
        signal.throwIfAborted();
        failed(error);
        yield { ...row, status: "failed" };
      }
    }
    if (!dryRun) await going[0]?.inside.leases.collectGarbage({ signal });
  },
});
