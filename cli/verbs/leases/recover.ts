import { type RecoveredLease, recoverLeases } from "../../../mod.ts";
import { acrossNamespaces } from "../../across.ts";
import { canJudge, isAlive, thisOwner } from "../../owner.ts";
import { type Planned, planned } from "../../planned.ts";
import { defineVerb } from "../../verb.ts";

type Row = Planned<Omit<RecoveredLease, "error" | "owner">> & { pid?: number };

export default defineVerb({
  summary: "Remove the leases that runs of davit left behind when they died",
  examples: ["leases recover --dry-run", "leases recover -A"],
  columns: [
    { header: "ID", key: "id" },
    { header: "CREATED AT", key: "createdAt", as: "age" },
    { header: "PID", key: "pid" },
    { header: "STATUS", key: "status" },
    { header: "REASON", key: "reason" },
  ],
  acrossNamespaces: true,
  plans: true,
  async *run(context): AsyncIterable<Row & { namespace?: string }> {
    const { dryRun, failed, log, signal } = context;
    const here = await thisOwner();
    if (!canJudge(here)) log.warn("This davit may not look at processes, and so cannot tell which ones died");
    const rowsOf = async function* (client: Parameters<typeof recoverLeases>[0]): AsyncIterable<Row> {
      const leases = recoverLeases(client, { isAlive: (owner) => isAlive(owner, here), dryRun, signal });
      for await (const { error, owner, ...row } of leases) {
        if (error !== undefined) failed(error);
        yield { ...planned(row, { dryRun }), ...(owner && { pid: owner.pid }) };
      }
    };
    yield* acrossNamespaces(context, { rowsOf });
  },
});
