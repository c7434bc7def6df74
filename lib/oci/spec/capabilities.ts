import { quoted } from "../quoted.ts";
import type { CapabilitySet } from "./runtime_spec.ts";

/** The capabilities of Linux, each at its number. */
export const capabilities: readonly string[] = [
  "CHOWN",
  "DAC_OVERRIDE",
  "DAC_READ_SEARCH",
  "FOWNER",
  "FSETID",
  "KILL",
  "SETGID",
  "SETUID",
  "SETPCAP",
  "LINUX_IMMUTABLE",
  "NET_BIND_SERVICE",
  "NET_BROADCAST",
  "NET_ADMIN",
  "NET_RAW",
  "IPC_LOCK",
  "IPC_OWNER",
  "SYS_MODULE",
  "SYS_RAWIO",
  "SYS_CHROOT",
  "SYS_PTRACE",
  "SYS_PACCT",
  "SYS_ADMIN",
  "SYS_BOOT",
  "SYS_NICE",
  "SYS_RESOURCE",
  "SYS_TIME",
  "SYS_TTY_CONFIG",
  "MKNOD",
  "LEASE",
  "AUDIT_WRITE",
  "AUDIT_CONTROL",
  "SETFCAP",
  "MAC_OVERRIDE",
  "MAC_ADMIN",
  "SYSLOG",
  "WAKE_ALARM",
  "BLOCK_SUSPEND",
  "AUDIT_READ",
  "PERFMON",
  "BPF",
  "CHECKPOINT_RESTORE",
].map((name) => `CAP_${name}`);

/** What a process may do as root in a container that is not privileged. */
export const defaultCapabilities: readonly string[] = [
  "CHOWN",
  "DAC_OVERRIDE",
  "FSETID",
  "FOWNER",
  "MKNOD",
  "NET_RAW",
  "SETGID",
  "SETUID",
  "SETFCAP",
  "SETPCAP",
  "NET_BIND_SERVICE",
  "SYS_CHROOT",
  "KILL",
  "AUDIT_WRITE",
].map((name) => `CAP_${name}`);

/**
 * The name of a capability in full: `net_admin` is `CAP_NET_ADMIN`.
 *
 * @throws {SyntaxError} when Linux has none of that name.
 */
export function parseCapability(text: string): string {
  const upper = text.toUpperCase();
  const name = upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
  if (capabilities.includes(name)) return name;
  throw new SyntaxError(`Cannot use capability ${quoted(text)}: Linux has none of that name`);
}

/** The capabilities whose bits are set in a number such as `/proc/self/status` has it. */
export function capabilitiesOf(bits: bigint): string[] {
  return capabilities.filter((_, number) => (bits >> BigInt(number)) & 1n);
}

/** The sets of a process that has exactly these capabilities, and hands none on. */
export function inSets(names: readonly string[]): Partial<Record<CapabilitySet, string[]>> {
  return { bounding: [...names], effective: [...names], permitted: [...names] };
}
