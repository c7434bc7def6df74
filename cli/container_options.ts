/** The options of verbs that make a container, and what they mean. */
import { resolve } from "@std/path";
import {
  checkEnvironment,
  type ContainerOptions,
  type NamespacedClient,
  type Options,
  parseCapability,
  parseEnvironmentFile,
  parseMount,
  parseSpecJson,
  type RuntimeSpec,
  type SeccompProfile,
} from "../mod.ts";
import { UsageError } from "./errors.ts";
import { imageFor, pullOptions } from "./image_source.ts";
import { parseLabels } from "./labels.ts";
import { unpackOptions } from "./unpack_options.ts";
import type { Argument, VerbContext } from "./verb.ts";

/** IMAGE, ID and a command; {@linkcode readContainer} knows which of them may be left out. */
export const containerArguments = [
  { name: "IMAGE", summary: "image; with --rootfs a folder, with --config nothing", completes: "image" },
  { name: "ID", summary: "of the container; `IMAGE -- COMMAND` makes one up", optional: true },
  {
    name: "COMMAND",
    summary: "instead of the image's entrypoint and command; passed on as it is",
    optional: true,
    repeats: true,
  },
] as const satisfies readonly Argument[];

/** What a container is to be like, in ctr's words. */
export const containerOptions = {
  tty: { type: "boolean", short: "t", summary: "give it a terminal" },
  env: { type: "list", placeholder: "KEY=VALUE", summary: "set a variable; KEY alone takes it away" },
  envFile: { type: "list", placeholder: "FILE", summary: "variables, one a line", completes: "file" },
  mount: {
    type: "list",
    placeholder: "MOUNT",
    summary: "type=bind,source=/srv,destination=/data,options=rbind:ro",
  },
  user: { type: "string", short: "u", placeholder: "USER[:GROUP]", summary: "by name or number" },
  cwd: { type: "string", placeholder: "PATH", summary: "where it starts" },
  hostname: { type: "string", placeholder: "NAME", summary: "what it thinks that its host is called" },
  label: { type: "list", placeholder: "KEY=VALUE", summary: "label of the container" },
  annotation: { type: "list", placeholder: "KEY=VALUE", summary: "annotation, for the runtime" },
  memoryLimit: { type: "size", summary: "how much memory it may use" },
  cpus: { type: "number", min: 0.01, placeholder: "N", summary: "how many processors' time it may use" },
  capAdd: { type: "list", placeholder: "CAPABILITY", summary: "more that it may do: CAP_NET_ADMIN" },
  capDrop: { type: "list", placeholder: "CAPABILITY", summary: "what it may not do" },
  privileged: { type: "boolean", summary: "let it do all that root may, with all devices" },
  seccomp: { type: "boolean", summary: "let it make the system calls of containerd's default profile only" },
  seccompProfile: {
    type: "string",
    placeholder: "FILE",
    summary: "those of another profile, in OCI's form",
    completes: "file",
  },
  readOnly: { type: "boolean", summary: "let it write nothing but to its mounts" },
  netHost: { type: "boolean", summary: "the host's network; without, there is only a loopback, and no CNI" },
  device: { type: "list", placeholder: "PATH", summary: "a device of the host, or a folder of them" },
  cgroup: { type: "string", placeholder: "PATH", summary: "another cgroup than /NAMESPACE/ID" },
  runtime: {
    type: "string",
    placeholder: "NAME",
    summary: "[the namespace's default, io.containerd.runc.v2]",
  },
  ...pullOptions,
  ...unpackOptions,
  platform: {
    type: "string",
    placeholder: "OS/ARCH",
    summary: "which one of its platforms [this machine's]",
  },
  rootfs: { type: "boolean", summary: "IMAGE is a folder to use as it is" },
  config: {
    type: "string",
    placeholder: "FILE",
    summary: "an OCI spec that says all of this",
    completes: "file",
  },
} as const satisfies Options;

type Context = VerbContext<typeof containerOptions>;

/**
 * Reads what a container is to be like.
 *
 * @throws {UsageError} when options contradict each other or cannot be read.
 * @throws {CliError} when there is no such image, with a hint where it is or how it comes.
 */
export async function readContainer(client: NamespacedClient, context: Context): Promise<ContainerOptions> {
  const { args, command, options, snapshotter, progress, signal } = context;
  const { rootfs, config, tty, label, runtime, platform } = options;
  if (rootfs && config !== undefined) throw new UsageError("Cannot use both --rootfs and --config");
  const isAlone = config !== undefined;
  if (isAlone && args.length + command.length > 1) {
    throw new UsageError("Cannot use more than an ID with --config: the spec says what to run");
  }
  const [source = "", id = inventedId()] = isAlone ? ["", ...args] : args;
  const common = { id, labels: parseLabels(label), runtime, signal };
  if (isAlone) return { ...common, spec: await readJson<RuntimeSpec>(config, "spec") };
  return {
    ...common,
    ...(rootfs ? { rootfs: resolve(source) } : { image: await imageFor(client, source, context) }),
    command,
    terminal: tty,
    ...await readProcess(options),
    ...readRights(options),
    seccomp: await readSeccomp(options),
    snapshotter: options.snapshotter ?? snapshotter,
    platform,
    onProgress: progress,
  };
}

async function readProcess({ env, envFile, mount, user, cwd, hostname }: Context["options"]) {
  const files = [];
  for (const path of envFile) {
    files.push(...parseEnvironmentFile(await readFile(path, "environment file"), path));
  }
  checkProcess({ env, cwd });
  return { env: [...files, ...env], mounts: mount.map(parseMount), user, cwd, hostname };
}

/** @throws {UsageError} when a change to the environment or the folder to start in cannot be meant. */
export function checkProcess({ env, cwd }: { env: readonly string[]; cwd: string | undefined }): void {
  for (const change of env) checkEnvironment(change);
  if (cwd !== undefined && !cwd.startsWith("/")) {
    throw new UsageError(`Cannot use ${JSON.stringify(cwd)} for --cwd: not an absolute path`);
  }
}

function readRights(options: Context["options"]): Partial<ContainerOptions> {
  const { annotation, capAdd, capDrop, privileged, readOnly, netHost, device, cgroup, memoryLimit, cpus } =
    options;
  return {
    annotations: parseLabels(annotation),
    addCapabilities: capAdd.map(parseCapability),
    dropCapabilities: capDrop.map(parseCapability),
    privileged,
    readOnly,
    hostNetwork: netHost,
    devices: device,
    cgroup,
    memoryLimit,
    cpus,
  };
}

async function readSeccomp(
  { seccomp, seccompProfile: path }: Pick<Context["options"], "seccomp" | "seccompProfile">,
): Promise<ContainerOptions["seccomp"]> {
  if (path === undefined) return seccomp ? "default" : undefined;
  const profile = await readJson<SeccompProfile>(path, "seccomp profile");
  // Docker's form has one, too, and rules that a runtime does not understand.
  if (typeof profile.defaultAction === "string" && !("archMap" in profile)) return profile;
  throw new UsageError(`Cannot use seccomp profile ${JSON.stringify(path)}: it is not in OCI's form`);
}

async function readJson<T extends object>(path: string, what: string): Promise<T> {
  const text = await readFile(path, what);
  const unreadable = (reason: string) =>
    new UsageError(`Cannot read ${what} ${JSON.stringify(path)}: ${reason}`);
  let value: unknown;
  try {
    value = parseSpecJson(text);
  } catch (error) {
    throw unreadable((error as Error).message);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as T;
  throw unreadable("it is no JSON object");
}

async function readFile(path: string, what: string): Promise<string> {
  const unreadable = (reason: string) =>
    new UsageError(`Cannot read ${what} ${JSON.stringify(path)}: ${reason}`);
  const bytes = await Deno.readFile(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) throw unreadable("no such file");
    throw error instanceof Deno.errors.IsADirectory ? unreadable("it is a folder") : error;
  });
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw unreadable("it is not a text in UTF-8");
  }
}

function inventedId(): string {
  return `davit-${crypto.randomUUID().slice(-12)}`;
}
