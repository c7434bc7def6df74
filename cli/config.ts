/** What the configuration files say. Where there are none, two looks at the disk are all that they cost. */
import { join } from "@std/path";
import { nearest } from "../mod.ts";
import { CliError, UsageError } from "./errors.ts";
import type { Io } from "./io.ts";
import type { StderrLog } from "./log.ts";
import { isRoot, othersMayChange } from "./ownership.ts";

/** A containerd and a namespace by a name. */
export interface ContextConfig {
  address?: string;
  namespace?: string;
}

/** What a plugin may do beyond its definition, and which part of that it may not do. */
export interface GrantConfig {
  read?: readonly string[];
  net?: readonly string[];
  env?: readonly string[];
  run?: readonly string[];
  /** Of those that it declares, only these. */
  namespaces?: readonly string[];
  /** At most this. */
  write?: false | "images" | "all";
}

/** All files together; of what two say, the user's counts. */
export interface Config {
  /** The context to use without `--context`. */
  context?: string;
  /** The file that names it. */
  contextFile?: string;
  contexts: Readonly<Record<string, ContextConfig>>;
  /** More folders of plugins. */
  pluginFolders: readonly string[];
  /** By the name of an installed plugin, or by the absolute path of a file. */
  grants: Readonly<Record<string, GrantConfig>>;
}

/** What davit does without files. */
export const noConfig: Config = { contexts: {}, pluginFolders: [], grants: {} };

/**
 * Reads the configuration: `$DAVIT_CONFIG` (`/dev/null` for none), or else root's for all users and the user's own.
 *
 * As root, files that others may change are left out with a warning; one that `$DAVIT_CONFIG` names is an error.
 *
 * @throws {UsageError} when a file is not exactly right.
 */
export async function readConfig(io: Pick<Io, "env">, log: Pick<StderrLog, "warn">): Promise<Config> {
  const named = io.env("DAVIT_CONFIG");
  if (named === "/dev/null") return noConfig;
  const paths = named === undefined ? usualPaths(io) : [named];
  const configs = await Promise.all(
    paths.map((path) => readFile(path, { isNamed: named !== undefined, log })),
  );
  return configs.reduce<Config>((all, config) => config === undefined ? all : merged(all, config), noConfig);
}

/** The folder of the user's own configuration; absent for who has no home. */
export function userFolder(io: Pick<Io, "env">): string | undefined {
  const home = io.env("HOME");
  const folder = io.env("XDG_CONFIG_HOME") ?? (home === undefined ? undefined : join(home, ".config"));
  return folder === undefined ? undefined : join(folder, "davit");
}

/** Where the configuration of the whole machine is. */
export const systemFolder = "/etc/davit";

/** The file that a user's own choices are written to: `$DAVIT_CONFIG`, or else that in the user's folder. */
export function ownConfigFile(io: Pick<Io, "env">): string | undefined {
  const folder = userFolder(io);
  return io.env("DAVIT_CONFIG") ?? (folder === undefined ? undefined : join(folder, configFile));
}

const configFile = "config.toml";

function usualPaths(io: Pick<Io, "env">): string[] {
  const folders = [systemFolder, userFolder(io)];
  return folders.filter((folder) => folder !== undefined).map((folder) => join(folder, configFile));
}

async function readFile(
  path: string,
  { isNamed, log }: { isNamed: boolean; log: Pick<StderrLog, "warn"> },
): Promise<Partial<Config> | undefined> {
  try {
    const real = await Deno.realPath(path);
    const reason = isRoot() ? await othersMayChange(real) : undefined;
    if (reason !== undefined && isNamed) throw notTrusted(path, reason);
    if (reason !== undefined) return void log.warn(`Configuration ${path} is left out: ${reason}`);
    const { parseConfig } = await import("./config_file.ts");
    const config = parseConfig(await Deno.readTextFile(real), path);
    return { ...config, ...(config.context !== undefined && { contextFile: path }) };
  } catch (error) {
    if (error instanceof CliError) throw error;
    if (!isNamed && error instanceof Deno.errors.NotFound) return undefined;
    throw new UsageError(`Cannot read configuration ${JSON.stringify(path)}: ${reasonIn(error)}`);
  }
}

function reasonIn(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "no such file";
  return error instanceof Error ? error.message : String(error);
}

/** What is not read as root, since others may change it. */
export function notTrusted(path: string, reason: string): CliError {
  return new CliError(`Cannot read configuration ${JSON.stringify(path)} as root: ${reason}`, {
    code: "permission_denied",
    hint: "it has to be root's, and nobody else may write to it or to a folder above it",
  });
}

function merged(all: Config, more: Partial<Config>): Config {
  return {
    ...all,
    ...more,
    contexts: { ...all.contexts, ...more.contexts },
    pluginFolders: [...more.pluginFolders ?? [], ...all.pluginFolders],
    grants: { ...all.grants, ...more.grants },
  };
}

/** Which containerd, and which namespace, as far as flags, environment and configuration say. */
export interface Place {
  address: string | undefined;
  namespace: string | undefined;
}

/** Something that counts, and what says so: a flag, a variable or a file. */
export interface Origin {
  value: string;
  by: string;
}

/** What says where to work. */
export interface Origins {
  /** The name of the one that counts. */
  context?: Origin | undefined;
  address?: Origin | undefined;
  namespace?: Origin | undefined;
}

/** What flags and surroundings say of a place. */
interface Sayings {
  flags: { address: string | undefined; namespace: string | undefined; context: string | undefined };
  config: Config;
  env: (name: string) => string | undefined;
}

/**
 * Where to work: what flags say, then the context that one names, then the environment, then the configuration.
 *
 * @throws {UsageError} when there is no such context.
 */
export function placeOf(flags: Sayings["flags"], surroundings: Omit<Sayings, "flags">): Place {
  const { address, namespace } = originsOf(flags, surroundings);
  return { address: address?.value, namespace: namespace?.value };
}

/** What says where to work; throws like {@linkcode placeOf}. */
export function originsOf(flags: Sayings["flags"], { config, env }: Omit<Sayings, "flags">): Origins {
  const named = flags.context === undefined ? {} : contextOf(flags.context, config);
  const usual = config.context === undefined ? {} : contextOf(config.context, config);
  const file = config.contextFile ?? "configuration";
  const of = (key: "address" | "namespace") =>
    firstGiven([
      [`--${key}`, flags[key]],
      ["--context", named[key]],
      [`$CONTAINERD_${key.toUpperCase()}`, env(`CONTAINERD_${key.toUpperCase()}`)],
      [file, usual[key]],
    ]);
  return {
    context: firstGiven([["--context", flags.context], [file, config.context]]),
    address: of("address"),
    namespace: of("namespace"),
  };
}

function firstGiven(sayings: readonly [by: string, value: string | undefined][]): Origin | undefined {
  const [by, value] = sayings.find(([, value]) => value !== undefined) ?? [];
  return by === undefined ? undefined : { value: value!, by };
}

/**
 * The context of a name.
 *
 * @throws {UsageError} when there is none.
 */
export function contextOf(name: string, { contexts }: Config): ContextConfig {
  if (Object.hasOwn(contexts, name)) return contexts[name]!;
  const near = nearest(name, Object.keys(contexts));
  throw new UsageError(
    `Cannot use context ${JSON.stringify(name)}: no configuration has it`,
    near === undefined ? `"davit context list" lists them` : `did you mean "${near}"?`,
  );
}
