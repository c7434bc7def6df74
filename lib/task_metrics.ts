import type { Metrics as MetricsOfV1 } from "../proto/gen/containerd/cgroups/v1/metrics.ts";
import type { Metrics as MetricsOfV2 } from "../proto/gen/containerd/cgroups/v2/metrics.ts";
import type { Metric } from "../proto/gen/containerd/types/metrics.ts";
import { toDate } from "./convert.ts";

/** What a task used up to a moment; absent is what the host does not count or containerd does not tell. */
export interface TaskMetrics {
  /** The id of its container. */
  id: string;
  /** When it was counted. */
  timestamp: Date;
  /** Which cgroups the host has. */
  cgroup: "v1" | "v2" | "unknown";
  /** Processes and threads. */
  pids: number;
  /** How many there may be; absent without a limit. */
  pidsLimit?: number;
  /** Nanoseconds of processors' time, in all. */
  cpuNs: number;
  /** Those of `cpuNs` that its programs took. */
  cpuUserNs: number;
  /** Those of `cpuNs` that the kernel took for it. */
  cpuSystemNs: number;
  /** Bytes, those of `cache` among them. */
  memory: number;
  /** Bytes that it may have; absent without a limit. */
  memoryLimit?: number;
  /** The most bytes that it had; absent where the kernel does not keep them. */
  memoryPeak?: number;
  /** Bytes that were moved out of memory to disk. */
  swap: number;
  /** Bytes of files in memory, which can be given up. */
  cache: number;
  /** How often a process was ended for want of memory. */
  oomKills?: number;
  /** Bytes from block devices. */
  readBytes: number;
  /** Bytes to block devices. */
  writtenBytes: number;
}

/** Numbers from here on stand for no limit at all. */
const unlimited = 2 ** 62;

/** Reads what containerd tells about a task, in the form that its host's cgroups have. */
export async function readMetrics({ id, timestamp, data }: Metric): Promise<TaskMetrics> {
  const known = { id, timestamp: toDate(timestamp) };
  if (data?.typeUrl.endsWith("io.containerd.cgroups.v1.Metrics")) {
    const { Metrics } = await import("../proto/gen/containerd/cgroups/v1/metrics.ts");
    return { ...known, cgroup: "v1", ...ofV1(Metrics.decode(data.value)) };
  }
  if (data?.typeUrl.endsWith("io.containerd.cgroups.v2.Metrics")) {
    const { Metrics } = await import("../proto/gen/containerd/cgroups/v2/metrics.ts");
    return { ...known, cgroup: "v2", ...ofV2(Metrics.decode(data.value)) };
  }
  return { ...known, cgroup: "unknown", ...ofV2(undefined) };
}

type Counts = Omit<TaskMetrics, "id" | "timestamp" | "cgroup">;

function ofV1({ pids, cpu, memory, blkio, memoryOomControl }: MetricsOfV1): Counts {
  const transferred = (operation: string) =>
    (blkio?.ioServiceBytesRecursive ?? [])
      .filter(({ op }) => op.toLowerCase() === operation)
      .reduce((sum, { value }) => sum + Number(value), 0);
  return {
    pids: number(pids?.current),
    ...limit("pidsLimit", pids?.limit),
    cpuNs: number(cpu?.usage?.total),
    cpuUserNs: number(cpu?.usage?.user),
    cpuSystemNs: number(cpu?.usage?.kernel),
    memory: number(memory?.usage?.usage),
    ...limit("memoryLimit", memory?.usage?.limit),
    ...(memory?.usage && { memoryPeak: number(memory.usage.max) }),
    swap: Math.max(0, number(memory?.swap?.usage) - number(memory?.usage?.usage)),
    cache: number(memory?.totalCache),
    ...(memoryOomControl && { oomKills: number(memoryOomControl.oomKill) }),
    readBytes: transferred("read"),
    writtenBytes: transferred("write"),
  };
}

function ofV2(metrics: MetricsOfV2 | undefined): Counts {
  const { pids, cpu, memory, io, memoryEvents } = metrics ?? {};
  const sum = (values: bigint[] = []) => values.reduce((sum, value) => sum + Number(value), 0);
  return {
    pids: number(pids?.current),
    ...limit("pidsLimit", pids?.limit),
    cpuNs: number(cpu?.usageUsec) * 1000,
    cpuUserNs: number(cpu?.userUsec) * 1000,
    cpuSystemNs: number(cpu?.systemUsec) * 1000,
    memory: number(memory?.usage),
    ...limit("memoryLimit", memory?.usageLimit),
    ...(memory?.maxUsage && { memoryPeak: number(memory.maxUsage) }),
    swap: number(memory?.swapUsage),
    cache: number(memory?.file),
    ...(memoryEvents && { oomKills: number(memoryEvents.oomKill) }),
    readBytes: sum(io?.usage.map(({ rbytes }) => rbytes)),
    writtenBytes: sum(io?.usage.map(({ wbytes }) => wbytes)),
  };
}

/** Counters may go beyond what a number holds exactly, by less than anybody notices. */
function number(value: bigint | undefined): number {
  return Number(value ?? 0n);
}

function limit<Name extends string>(name: Name, value: bigint | undefined): { [N in Name]?: number } {
  const found = number(value);
  return found === 0 || found >= unlimited ? {} : { [name]: found } as { [N in Name]?: number };
}
