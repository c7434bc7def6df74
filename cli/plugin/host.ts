/** Plugins as verbs: what a command line names becomes one that the rest of davit cannot tell from its own. */
import { PluginNotNamed } from "../command_line.ts";
import { noConfig } from "../config.ts";
import type { HostContext } from "../context.ts";
import { CliError, UsageError } from "../errors.ts";
import { unknownCommand } from "../lookup.ts";
import { nearest } from "../../mod.ts";
import type { Verb } from "../verb.ts";
import { accessOf, checkDefinitions, type Definition } from "./definition.ts";
import { pluginFailure } from "./failure.ts";
import { isPath, PluginFile } from "./file.ts";
import { type InstalledPlugin, installedPlugins, isTrusted } from "./installed.ts";
import { checkDefinitionSize } from "./limits.ts";
import { readableBeside } from "./readable.ts";
import { checkPatterns, runPlugin } from "./run.ts";
import { Sandbox } from "./sandbox.ts";
import { type Grants, grantsOf, noFlags, type PluginSettings } from "./settings.ts";

/** A plugin that is loaded, as a verb that runs once. Its worker lives until it is disposed. */
export interface PluginVerb extends Verb, Disposable {
  /** What it is called by: its file or name, and behind that its own name where a file has several. */
  words: readonly string[];
  definition: Definition;
  grants: Grants;
  run(context: HostContext): Promise<unknown>;
}

/** How to load a plugin. */
export interface LoadOptions {
  signal?: AbortSignal | undefined;
  /** How long it may take, in milliseconds. Default 10,000. */
  timeoutMs?: number;
  /** Default: without flags, configuration and environment. */
  settings?: PluginSettings | undefined;
  /** The word behind: the name of the plugin, in a file with several. */
  next?: string | undefined;
}

/** What is loaded of a file; the worker lives until it is disposed. */
export interface LoadedFile extends Disposable {
  target: string;
  sandbox: Sandbox;
  grants: Grants;
  /** An array where the file has one, even of one. */
  definitions: Definition | readonly Definition[];
}

/**
 * Loads the plugin that a command line names, by its file or by the name of one that is installed.
 *
 * @throws {CliError} `not_found` when there is no such file, `plugin` when it does not load or is no plugin,
 * `permission_denied` when it is not to be trusted, `deadline_exceeded` when loading takes too long.
 * @throws {UsageError} when nothing has that name, or the file is none of code.
 */
export async function openPlugin(target: string, options: LoadOptions = {}): Promise<PluginVerb> {
  const loaded = await loadPlugins(target, options);
  try {
    return verbOf(loaded, options.next);
  } catch (error) {
    loaded[Symbol.dispose]();
    throw error;
  }
}

/** Loads all that a file defines; throws like {@linkcode openPlugin}. */
export async function loadPlugins(target: string, options: LoadOptions = {}): Promise<LoadedFile> {
  const { settings = { flags: noFlags, config: noConfig, env: () => undefined }, signal } = options;
  const { file, key } = isPath(target) ? await named(target) : await installed(target, settings);
  return await loadFile(file, { ...options, grants: grantsOf(settings, key), signal });
}

/** Loads all that a file defines, with what it may do. */
export async function loadFile(
  file: PluginFile,
  options: LoadOptions & { grants: Grants },
): Promise<LoadedFile> {
  options.signal?.throwIfAborted();
  const { grants } = options;
  const read = [...readableBeside(file), ...grants.permissions.read];
  const sandbox = new Sandbox(file, { ...grants.permissions, read });
  try {
    const definitions = await load(sandbox, { file, ...options });
    const { target } = file;
    return { target, sandbox, grants, definitions, [Symbol.dispose]: () => sandbox[Symbol.dispose]() };
  } catch (error) {
    sandbox[Symbol.dispose]();
    throw error;
  }
}

/** A file, and what grants for it stand under in the configuration. */
interface Found {
  file: PluginFile;
  key: string | undefined;
}

async function named(target: string): Promise<Found> {
  const file = await PluginFile.find(target);
  return { file, key: file.path };
}

async function installed(name: string, settings: PluginSettings): Promise<Found> {
  const plugins = await installedPlugins(settings);
  const plugin = plugins.find((plugin) => plugin.name === name);
  if (plugin === undefined) throw unknownCommand([name], plugins.map(({ name }) => name));
  if (plugin.problem !== undefined) throw untrusted(plugin);
  return { file: fileOf(plugin), key: isTrusted(plugin) ? name : undefined };
}

/** The file of an installed plugin, which is called by its name. */
export function fileOf({ name, path }: InstalledPlugin): PluginFile {
  return new PluginFile(name, { path });
}

function untrusted({ name, path, problem }: InstalledPlugin): CliError {
  return new CliError(`Cannot load plugin ${JSON.stringify(name)} from ${path}: ${problem}`, {
    code: "permission_denied",
    hint: `"davit plugin list --paths" shows where plugins are; ./ in front of a file runs it as it is`,
  });
}

function verbOf(loaded: LoadedFile, next: string | undefined): PluginVerb {
  const { target, sandbox, grants, definitions } = loaded;
  const { definition, index, words } = chosen(definitions, { target, next });
  const { name: _name, access: _access, plans = false, ...shape } = definition;
  const access = accessOf(definition);
  const { endless = false, options = {} } = definition;
  return {
    ...shape,
    words,
    plans: true, // by itself, or by simulation
    definition,
    grants,
    run: async (context) => {
      await checkPatterns(sandbox, options, context);
      const transport = await context.transport();
      const { limits } = grants;
      return await runPlugin({ sandbox, access, plans, endless, index, limits, context, transport });
    },
    [Symbol.dispose]: () => loaded[Symbol.dispose](),
  };
}

function chosen(
  definitions: Definition | readonly Definition[],
  { target, next }: { target: string; next: string | undefined },
): { definition: Definition; index: number; words: string[] } {
  if (!isArray(definitions)) return { definition: definitions, index: 0, words: [target] };
  if (next === undefined) throw new PluginNotNamed(target, definitions);
  const index = definitions.findIndex(({ name }) => name === next);
  if (index !== -1) return { definition: definitions[index]!, index, words: [target, next] };
  const names = definitions.map(({ name }) => name);
  const near = nearest(next, names);
  throw new UsageError(
    `Cannot run ${JSON.stringify(`${target} ${next}`)}: it has no such plugin`,
    near === undefined ? `it has ${names.join(", ")}` : `did you mean "${target} ${near}"?`,
  );
}

function isArray(definitions: Definition | readonly Definition[]): definitions is readonly Definition[] {
  return Array.isArray(definitions);
}

async function load(
  sandbox: Sandbox,
  { file, signal, timeoutMs = 10_000 }: LoadOptions & { file: PluginFile },
): Promise<Definition | readonly Definition[]> {
  const abort = () => sandbox.fail(signal!.reason);
  const timer = setTimeout(() => sandbox.fail(overdue(file, timeoutMs)), timeoutMs);
  signal?.addEventListener("abort", abort);
  try {
    const definitions = await sandbox.load();
    checkDefinitionSize(definitions);
    checkDefinitions(definitions);
    return definitions;
  } catch (error) {
    const isMistake = error instanceof TypeError || error instanceof RangeError;
    throw isMistake ? pluginFailure(error.message, { file, stage: "load" }) : error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

function overdue({ target }: PluginFile, timeoutMs: number): CliError {
  return new CliError(`Cannot load plugin ${JSON.stringify(target)}: not done within ${timeoutMs} ms`, {
    code: "deadline_exceeded",
    hint: "the top level of a plugin only defines it; the work is for its run",
  });
}
