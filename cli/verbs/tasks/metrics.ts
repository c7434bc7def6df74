import type { TaskMetrics } from "../../../mod.ts";
import { withCells } from "../../cells.ts";
import { CliError } from "../../errors.ts";
import { defineVerb } from "../../verb.ts";

interface Cells {
  /** Of processors' time, in words. */
  cpu: string;
}

export default defineVerb({
  summary: "Show what tasks use of processors, memory and disks",
  examples: ["tasks metrics", "tasks metrics web -o json"],
  args: [{
    name: "ID",
    summary: "of a container; default: all",
    optional: true,
    repeats: true,
    completes: "task",
  }],
  columns: [
    { header: "TASK", key: "id" },
    { header: "CPU", key: "cpu", csv: ["cpuNs"] },
    { header: "MEMORY", key: "memory", as: "bytes" },
    { header: "LIMIT", key: "memoryLimit", as: "bytes" },
    { header: "PIDS", key: "pids" },
    { header: "READ", key: "readBytes", as: "bytes" },
    { header: "WRITTEN", key: "writtenBytes", as: "bytes" },
    { header: "CACHE", key: "cache", as: "bytes", wide: true },
    { header: "SWAP", key: "swap", as: "bytes", wide: true },
    { header: "PEAK", key: "memoryPeak", as: "bytes", wide: true },
    { header: "OOM KILLS", key: "oomKills", wide: true },
    { header: "CGROUP", key: "cgroup", wide: true },
  ],
  async *run({ args, namespaced, namespace, failed, signal }): AsyncIterable<TaskMetrics & Cells> {
    const { tasks } = await namespaced();
    const missing = new Set(args);
    for await (const metrics of tasks.metrics({ containerIds: args, signal })) {
      missing.delete(metrics.id);
      yield withCells(metrics, { cpu: `${(metrics.cpuNs / 1e9).toFixed(3)}s` });
    }
    for (const id of missing) {
      const what = `task ${JSON.stringify(id)} in namespace ${JSON.stringify(namespace)}`;
      failed(new CliError(`Cannot get the metrics of ${what}: not found`, { code: "not_found" }));
    }
  },
});
