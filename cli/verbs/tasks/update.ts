import { containerdError, limitsOf, type NamespacedClient } from "../../../mod.ts";
import { containerOptions } from "../../container_options.ts";
import { each } from "../../each.ts";
import { UsageError } from "../../errors.ts";
import { planned } from "../../planned.ts";
import { defineVerb } from "../../verb.ts";

const { memoryLimit, cpus } = containerOptions;

interface Row {
  id: string;
  status: "updated";
  /** Bytes, as it was; absent for none. */
  memoryLimitBefore?: number;
  /** Bytes, 0 for none; absent when it stays. */
  memoryLimit?: number;
  /** 0 for all there are; absent when it stays. */
  cpus?: number;
}

export default defineVerb({
  summary: "Change how much tasks may use, until they end",
  examples: ["tasks update --memory-limit 512MiB web", "tasks update --cpus 0 web --dry-run"],
  args: [{ name: "ID", summary: "of its container", repeats: true, completes: "task" }],
  options: {
    memoryLimit: { ...memoryLimit, summary: `${memoryLimit.summary}; 0: no limit` },
    cpus: { ...cpus, min: 0, summary: `${cpus.summary}; 0: no limit` },
  },
  columns: [
    { header: "TASK", key: "id" },
    { header: "STATUS", key: "status" },
    { header: "MEMORY BEFORE", key: "memoryLimitBefore", as: "bytes" },
    { header: "MEMORY", key: "memoryLimit", as: "bytes" },
    { header: "CPUS", key: "cpus" },
  ],
  plans: true,
  async *run(context) {
    const { args, options: { memoryLimit, cpus }, namespaced, dryRun, signal } = context;
    if (memoryLimit === undefined && cpus === undefined) {
      throw new UsageError("Cannot update without a limit: --memory-limit or --cpus");
    }
    const client = await namespaced();
    yield* each(args, {
      context,
      async work(id) {
        const { memoryLimitBefore } = await look(client, id, signal);
        const resources = limitsOf({ memoryLimit, cpus });
        if (!dryRun) await client.tasks.update({ containerId: id, resources }, { signal });
        const limits = {
          ...(memoryLimit !== undefined && { memoryLimit }),
          ...(cpus !== undefined && { cpus }),
        };
        const row: Row = {
          id,
          status: "updated",
          ...memoryLimitBefore !== undefined && { memoryLimitBefore },
          ...limits,
        };
        return planned(row, { dryRun });
      },
    });
  },
});

/** The limit that a task has. @throws {FailedPreconditionError} when it has ended. */
async function look(
  { tasks, name }: NamespacedClient,
  id: string,
  signal: AbortSignal,
): Promise<{ memoryLimitBefore: number | undefined }> {
  const { status } = await tasks.get(id, { signal });
  if (status === "stopped") {
    throw containerdError({
      code: "failed_precondition",
      reason: "it is stopped",
      outcome: "refused",
      action: "update",
      resource: `task ${JSON.stringify(id)}`,
      namespace: name,
    });
  }
  const [metrics] = await Array.fromAsync(tasks.metrics({ containerIds: [id], signal }));
  return { memoryLimitBefore: metrics?.memoryLimit };
}
