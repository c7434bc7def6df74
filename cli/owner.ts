/** Who this process is, and whether another one still runs: only Linux tells, and only a davit that may read `/proc`. */
import { digestOf, type LeaseOwner } from "../mod.ts";

/** This process, for the leases that it takes. */
export async function thisOwner(): Promise<LeaseOwner> {
  const [startedAt, pidNamespace, bootId, machineId] = await Promise.all([
    startOf(Deno.pid),
    known(() => Deno.readLink("/proc/self/ns/pid")),
    known(() => Deno.readTextFile("/proc/sys/kernel/random/boot_id")),
    known(() => Deno.readTextFile("/etc/machine-id")),
  ]);
  return {
    pid: Deno.pid,
    startedAt: startedAt || undefined,
    pidNamespace,
    bootId: bootId?.trim(),
    machineId: machineId && await masked(machineId.trim()),
  };
}

/** Whether davit can tell of processes whether they run. */
export function canJudge({ bootId, pidNamespace, machineId }: LeaseOwner): boolean {
  return ![bootId, pidNamespace, machineId].includes(undefined);
}

/** Whether a process still runs, seen from the process `here`; `undefined` when that cannot be told. */
export async function isAlive(owner: LeaseOwner, here: LeaseOwner): Promise<boolean | undefined> {
  if (!canJudge(owner) || owner.machineId !== here.machineId) return undefined;
  if (here.bootId === undefined) return undefined;
  if (owner.bootId !== here.bootId) return false; // the machine was started anew
  if (owner.pidNamespace !== here.pidNamespace) return undefined;
  const startedAt = await startOf(owner.pid);
  if (startedAt === undefined || owner.startedAt === undefined) return undefined;
  if (startedAt === owner.startedAt) return true;
  // Where processes of others are hidden, so is the first one.
  return await startOf(1) ? false : undefined;
}

/** When a process started, in ticks since the machine did; empty when there is none, `undefined` when nobody tells. */
async function startOf(pid: number): Promise<string | undefined> {
  try {
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
    const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // a name may hold anything
    return state === "Z" || state === "X" ? "" : fields[18];
  } catch (error) {
    return error instanceof Deno.errors.NotFound ? "" : undefined;
  }
}

async function known(read: () => Promise<string>): Promise<string | undefined> {
  try {
    return await read();
  } catch {
    return undefined;
  }
}

/** The id itself is not meant to leave its machine. */
async function masked(machineId: string): Promise<string> {
  return (await digestOf(new TextEncoder().encode(`davit ${machineId}`))).slice("sha256:".length, 39);
}
