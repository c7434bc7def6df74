import type { Lease } from "./leases.ts";

/**
 * The process that holds a lease, with enough about it to tell later whether it still runs: process ids come again, on
 * this machine and on others. What is not known is left out.
 */
export interface LeaseOwner {
  /** The process id, within `pidNamespace`. */
  pid: number;
  /** When the process started, as its kernel counts. */
  startedAt?: string | undefined;
  /** What `pid` counts in. */
  pidNamespace?: string | undefined;
  /** Which start of the machine, as Linux names it: a UUID. */
  bootId?: string | undefined;
  /** Which machine; davit's command line has a digest of its id here. */
  machineId?: string | undefined;
}

const labelOf = {
  pid: "davit/owner.pid",
  startedAt: "davit/owner.started-at",
  pidNamespace: "davit/owner.pid-namespace",
  bootId: "davit/owner.boot-id",
  machineId: "davit/owner.machine-id",
} as const satisfies Record<keyof LeaseOwner, string>;

const facts = Object.keys(labelOf) as (keyof LeaseOwner)[];

/** The labels that say who holds a lease. */
export function ownerLabels(owner: LeaseOwner): Record<string, string> {
  const known = facts.filter((fact) => owner[fact] !== undefined);
  return Object.fromEntries(known.map((fact) => [labelOf[fact], String(owner[fact])]));
}

/** Who holds a lease; `undefined` when its labels do not say so. */
export function ownerOf({ labels }: Pick<Lease, "labels">): LeaseOwner | undefined {
  const pid = Number(labels[labelOf.pid]);
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  const [startedAt, pidNamespace, bootId, machineId] = facts.slice(1).map((fact) => labels[labelOf[fact]]);
  return { pid, startedAt, pidNamespace, bootId, machineId };
}

/** Whether davit made the lease, in whatever run. */
export function isOwn({ labels }: Pick<Lease, "labels">): boolean {
  return Object.keys(labels).some((key) => key.startsWith("davit/"));
}
