import type { SeccompProfile } from "./seccomp.ts";

/**
 * What a runtime gets to make a container of, as far as davit writes it; other members are kept as they are.
 *
 * @see {@link https://github.com/opencontainers/runtime-spec/blob/v1.2.0/config.md}
 */
export interface RuntimeSpec {
  /** The version of the runtime spec that it keeps to: `1.0.2`. */
  ociVersion: string;
  /** What runs first. */
  process?: RuntimeProcess;
  /** The folder that is its root filesystem; `rootfs` stands for what the task's mounts make. */
  root?: { path: string; readonly?: boolean };
  /** What the container calls itself. */
  hostname?: string;
  /** Made one after the other. */
  mounts?: RuntimeMount[];
  /** By key, for the runtime and whoever extends it. */
  annotations?: Record<string, string>;
  /** What is particular to Linux. */
  linux?: RuntimeLinux;
  /** Others, as they are. */
  [member: string]: unknown;
}

/** A process in a container, its first one or another. */
export interface RuntimeProcess {
  /** It has a terminal. */
  terminal?: boolean;
  /** Whose it is. Default: root's. */
  user?: RuntimeUser;
  /** The program and its arguments. */
  args?: string[];
  /** `KEY=VALUE` each. */
  env?: string[];
  /** The absolute path of the folder that it begins in. */
  cwd: string;
  /** Names such as `CAP_CHOWN`, by set. */
  capabilities?: Partial<Record<CapabilitySet, string[]>>;
  /** No program that it runs gives it rights that it has not, setuid or not. */
  noNewPrivileges?: boolean;
  /** Others, as they are. */
  [member: string]: unknown;
}

/** Whose process it is, by the numbers inside of the container. */
export interface RuntimeUser {
  /** The user's number. */
  uid: number;
  /** The number of the first group. */
  gid: number;
  /** The numbers of further groups. */
  additionalGids?: number[];
}

/** In which of the sets of a process a capability is. */
export type CapabilitySet = "bounding" | "effective" | "inheritable" | "permitted" | "ambient";

/** Something mounted in a container. */
export interface RuntimeMount {
  /** An absolute path in the container. */
  destination: string;
  /** As for mount(8): `proc`, `tmpfs`, `bind`. */
  type?: string;
  /** For `bind` a path of the host; else a device, or what stands for one. */
  source?: string;
  /** As for mount(8), one by one: `rbind`, `ro`. */
  options?: string[];
}

/** What is particular to Linux. */
export interface RuntimeLinux {
  /** The control group: a path, or `slice:prefix:name` for systemd. */
  cgroupsPath?: string;
  /** The kernel's, by type such as `pid`: a new one, or that at the path; those that are missing are the host's. */
  namespaces?: { type: string; path?: string }[];
  /** What it may use; absent parts have no limit. */
  resources?: RuntimeResources;
  /** Made in it besides those that every container has. */
  devices?: RuntimeDevice[];
  /** Absolute paths that cannot be read. */
  maskedPaths?: string[];
  /** Absolute paths that cannot be written to. */
  readonlyPaths?: string[];
  /** Which system calls it may make; absent for all. */
  seccomp?: SeccompProfile;
  /** Others, as they are. */
  [member: string]: unknown;
}

/** How much of the host the processes of a container may use, and which of its devices. */
export interface RuntimeResources {
  /** Bytes; -1 is no limit. */
  memory?: { limit?: number };
  /** Microseconds, a quota of -1 is no limit; shares relative to those of others. */
  cpu?: { quota?: number; period?: number; shares?: number };
  /** Which devices may be used: later rules go before earlier ones. */
  devices?: DeviceRule[];
  /** Others, as they are. */
  [member: string]: unknown;
}

/** Which devices may be used; a missing part stands for any. */
export interface DeviceRule {
  /** Whether they may be used. */
  allow: boolean;
  /** `c`, `b`, or `a` for all. */
  type?: string;
  /** The kernel's number for the driver. */
  major?: number;
  /** The driver's number for the device. */
  minor?: number;
  /** For what: some of `r`, `w`, and `m` to make it. */
  access: string;
}

/** A device that is made in a container. */
export interface RuntimeDevice {
  /** An absolute path in the container. */
  path: string;
  /** `c` or `b`. */
  type: string;
  /** The kernel's number for the driver. */
  major: number;
  /** The driver's number for the device. */
  minor: number;
  /** Its permissions, as chmod(2) takes them: `0o666`. */
  fileMode?: number;
  /** The number of the user that owns it. */
  uid?: number;
  /** The number of the group that owns it. */
  gid?: number;
}

/** The types of what containerd keeps as JSON. */
export const specType = "types.containerd.io/opencontainers/runtime-spec/1/Spec";
export const processType = "types.containerd.io/opencontainers/runtime-spec/1/Process";
export const resourcesType = "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources";
