import type { SeccompProfile } from "./seccomp.ts";

/**
 * What a runtime gets to make a container of, as far as davit writes it; other members are kept as they are.
 *
 * @see {@link https://github.com/opencontainers/runtime-spec/blob/v1.2.0/config.md}
 */
export interface RuntimeSpec {
  ociVersion: string;
  process?: RuntimeProcess;
  root?: { path: string; readonly?: boolean };
  hostname?: string;
  mounts?: RuntimeMount[];
  annotations?: Record<string, string>;
  linux?: RuntimeLinux;
  [member: string]: unknown;
}

/** A process in a container, its first one or another. */
export interface RuntimeProcess {
  terminal?: boolean;
  user?: RuntimeUser;
  args?: string[];
  /** `KEY=VALUE` each. */
  env?: string[];
  cwd: string;
  capabilities?: Partial<Record<CapabilitySet, string[]>>;
  noNewPrivileges?: boolean;
  [member: string]: unknown;
}

/** Whose process it is, by the numbers inside of the container. */
export interface RuntimeUser {
  uid: number;
  gid: number;
  additionalGids?: number[];
}

/** In which of the sets of a process a capability is. */
export type CapabilitySet = "bounding" | "effective" | "inheritable" | "permitted" | "ambient";

/** Something mounted in a container. */
export interface RuntimeMount {
  destination: string;
  type?: string;
  source?: string;
  options?: string[];
}

/** What is particular to Linux. */
export interface RuntimeLinux {
  cgroupsPath?: string;
  namespaces?: { type: string; path?: string }[];
  resources?: {
    /** Bytes. */
    memory?: { limit?: number };
    /** Microseconds; shares relative to those of others. */
    cpu?: { quota?: number; period?: number; shares?: number };
    devices?: DeviceRule[];
    [member: string]: unknown;
  };
  devices?: RuntimeDevice[];
  maskedPaths?: string[];
  readonlyPaths?: string[];
  seccomp?: SeccompProfile;
  [member: string]: unknown;
}

/** Which devices may be used; a missing part stands for any. */
export interface DeviceRule {
  allow: boolean;
  type?: string;
  major?: number;
  minor?: number;
  access: string;
}

/** A device that is made in a container. */
export interface RuntimeDevice {
  path: string;
  /** `c` or `b`. */
  type: string;
  major: number;
  minor: number;
  fileMode?: number;
  uid?: number;
  gid?: number;
}

/** The types of what containerd keeps as JSON. */
export const specType = "types.containerd.io/opencontainers/runtime-spec/1/Spec";
export const processType = "types.containerd.io/opencontainers/runtime-spec/1/Process";
