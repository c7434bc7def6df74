/** What a container is made of, as an OCI runtime wants it: an image's words and the user's, on top of containerd's. */
import type { ProcessConfig } from "./process_config.ts";
import { capabilities, inSets } from "./spec/capabilities.ts";
import { defaultSpec } from "./spec/default_spec.ts";
import { changedEnvironment } from "./spec/environment.ts";
import { limitsOf } from "./spec/limits.ts";
import type {
  DeviceRule,
  RuntimeDevice,
  RuntimeMount,
  RuntimeProcess,
  RuntimeSpec,
  RuntimeUser,
} from "./spec/runtime_spec.ts";
import { defaultSeccomp, type SeccompProfile } from "./spec/seccomp.ts";

/** What can be said about a container beside its image. */
export interface SpecOptions {
  /** Instead of the image's own, and of its entrypoint, too, as with ctr. */
  command?: readonly string[] | undefined;
  /** `KEY=VALUE`, or `KEY` alone to take a variable away, also one of the image. */
  env?: readonly string[] | undefined;
  /** An absolute path. */
  cwd?: string | undefined;
  /** Its output is a terminal. */
  terminal?: boolean | undefined;
  /** What the container calls itself. */
  hostname?: string | undefined;
  /** Those of the default with the same destination are left out. */
  mounts?: readonly RuntimeMount[] | undefined;
  /** By key, for the runtime and whoever extends it; `annotations` of the runtime spec. */
  annotations?: Readonly<Record<string, string>> | undefined;
  /** The root filesystem cannot be written to. */
  readOnly?: boolean | undefined;
  /** Bytes. */
  memoryLimit?: number | undefined;
  /** How many processors' time it may use: 0.5 is half of one. */
  cpus?: number | undefined;
  /** Full names, as `CAP_NET_ADMIN`, that come to the default ones. */
  addCapabilities?: readonly string[] | undefined;
  /** Full names that go, also those that `addCapabilities` has. */
  dropCapabilities?: readonly string[] | undefined;
  /** All capabilities and devices of the host, nothing masked. */
  privileged?: boolean | undefined;
  /** Which system calls it may make: those of containerd's default profile, or of another one. Default: all. */
  seccomp?: "default" | SeccompProfile | undefined;
  /** The host's network instead of one of its own, with its names of hosts. */
  hostNetwork?: boolean | undefined;
  /** A path instead of `/NAMESPACE/ID`; empty for none. */
  cgroup?: string | undefined;
}

/** What a spec is made from. */
export interface SpecSources {
  namespace: string;
  id: string;
  /** Absent without an image. */
  image?: ProcessConfig | undefined;
  /** Its absolute path, of a container without an image. */
  rootfs?: string | undefined;
  user: RuntimeUser;
  /** What is there to be had of the host. */
  host: HostFacts;
  options: SpecOptions;
}

/** What of the host goes into a spec. */
export interface HostFacts {
  /** Of use in the host's network only. */
  hostname: string;
  /** The capabilities that can be given, for a privileged container. */
  capabilities: readonly string[];
  /** Those that are asked for, and all for a privileged container. */
  devices: readonly RuntimeDevice[];
}

/** Where a command is looked for when neither image nor user say. */
const defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * The runtime specification of a container.
 *
 * @throws {SyntaxError} when nothing says what to run.
 */
export function buildSpec({ namespace, id, image, rootfs, user, host, options }: SpecSources): RuntimeSpec {
  const spec = defaultSpec({ namespace, id });
  const { process, linux } = spec as Required<RuntimeSpec>;
  Object.assign(process, processOf({ image, user, host, options }));
  spec.root = { path: rootfs ?? "rootfs", ...(options.readOnly && { readonly: true }) };
  if (options.hostname) spec.hostname = options.hostname;
  if (Object.keys(options.annotations ?? {}).length > 0) spec.annotations = { ...options.annotations };
  if (options.cgroup !== undefined) linux.cgroupsPath = options.cgroup;

  process.capabilities = inSets(capabilitiesFor(process, { host, options }));
  spec.mounts = mountsFor(spec.mounts ?? [], options);
  const { resources } = linux;
  resources!.devices = deviceRules(resources!.devices ?? [], { host, options });
  if (host.devices.length > 0) linux.devices = [...host.devices];
  const { memory, cpu } = limitsOf({
    memoryLimit: options.memoryLimit || undefined,
    cpus: options.cpus || undefined,
  });
  if (memory) resources!.memory = memory;
  if (cpu) resources!.cpu = { ...resources!.cpu, ...cpu };
  const { seccomp } = options;
  if (seccomp) {
    const { bounding = [] } = process.capabilities;
    linux.seccomp = seccomp === "default" ? defaultSeccomp({ capabilities: bounding }) : seccomp;
  }
  if (options.hostNetwork) {
    linux.namespaces = linux.namespaces!.filter(({ type }) => type !== "network");
  }
  if (options.privileged) {
    linux.maskedPaths = [];
    linux.readonlyPaths = [];
  }
  return spec;
}

/**
 * Another process for a container, like its first one but for what the options say. Without a command it is the same.
 *
 * @throws {SyntaxError} when the container's own process is not known.
 */
export function buildProcess(
  { process }: RuntimeSpec,
  { command, env = [], cwd, terminal = false, user }:
    & Pick<SpecOptions, "command" | "env" | "cwd" | "terminal">
    & {
      user?: RuntimeUser | undefined;
    },
): RuntimeProcess {
  if (!process) throw new SyntaxError("Cannot describe a process: the container's spec has none to go by");
  return {
    ...process,
    terminal,
    args: [...command ?? process.args ?? []],
    env: changedEnvironment(process.env ?? [], [...termOf(terminal, process.env ?? []), ...env]),
    ...(cwd && { cwd }),
    ...(user && { user }),
  };
}

function processOf(
  { image, user, host, options }: Pick<SpecSources, "image" | "user" | "host" | "options">,
): Partial<RuntimeProcess> {
  const { command = [], env = [], cwd, terminal, hostNetwork } = options;
  const args = command.length > 0 ? [...command] : [...image?.entrypoint ?? [], ...image?.command ?? []];
  if (args.length === 0) {
    throw new SyntaxError("Cannot tell what to run: neither the image nor the command line names a command");
  }
  const base = image && image.env.length > 0 ? image.env : [defaultPath];
  const changes = [
    ...(terminal ? termOf(true, base) : []),
    ...(hostNetwork ? [`HOSTNAME=${host.hostname}`] : []),
    ...env,
  ];
  return {
    args,
    env: changedEnvironment(base, changes),
    cwd: cwd || image?.workingDir || "/",
    user,
    ...(terminal && { terminal }),
  };
}

/** A terminal has a kind, which programs ask for. */
function termOf(terminal: boolean, env: readonly string[]): string[] {
  return terminal && !env.some((entry) => entry.startsWith("TERM=")) ? ["TERM=xterm"] : [];
}

function capabilitiesFor(
  { capabilities: given }: RuntimeProcess,
  { host, options }: Pick<SpecSources, "host" | "options">,
): string[] {
  const { addCapabilities = [], dropCapabilities = [], privileged } = options;
  const base = privileged ? host.capabilities : given?.bounding ?? [];
  const wanted = new Set([...base, ...addCapabilities]);
  for (const name of dropCapabilities) wanted.delete(name);
  return [...wanted].sort((a, b) => capabilities.indexOf(a) - capabilities.indexOf(b));
}

function mountsFor(defaults: readonly RuntimeMount[], options: SpecOptions): RuntimeMount[] {
  const { mounts = [], privileged, hostNetwork } = options;
  const files = hostNetwork ? ["/etc/hosts", "/etc/resolv.conf"].map(hostFile) : [];
  const replaced = new Set(mounts.map(({ destination }) => destination));
  const base = [...defaults, ...files].filter(({ destination }) => !replaced.has(destination));
  return [...privileged ? base.map(writable) : base, ...mounts];
}

function hostFile(path: string): RuntimeMount {
  return { destination: path, type: "bind", source: path, options: ["rbind", "ro"] };
}

/** A privileged container may change the kernel's settings. */
function writable(mount: RuntimeMount): RuntimeMount {
  if (mount.type !== "sysfs" && mount.type !== "cgroup") return mount;
  return { ...mount, options: (mount.options ?? []).map((option) => (option === "ro" ? "rw" : option)) };
}

function deviceRules(
  defaults: readonly DeviceRule[],
  { host, options }: Pick<SpecSources, "host" | "options">,
): DeviceRule[] {
  if (options.privileged) return [{ allow: true, access: "rwm" }];
  const own = host.devices.map(({ type, major, minor }) => ({
    allow: true,
    type,
    major,
    minor,
    access: "rwm",
  }));
  return [...defaults, ...own];
}
