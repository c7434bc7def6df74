/** Plugins as verbs: what a command line names becomes one that the rest of davit cannot tell from its own. */
import type { HostContext } from "../context.ts";
import { CliError } from "../errors.ts";
import { unknownCommand } from "../lookup.ts";
import type { Verb } from "../verb.ts";
import { accessOf, checkDefinition, type Definition } from "./definition.ts";
import { pluginFailure } from "./failure.ts";
import { isPath, PluginFile } from "./file.ts";
import { runPlugin } from "./run.ts";
import { Sandbox } from "./sandbox.ts";
import { shippedFile, shippedPlugins } from "./shipped.ts";

/** A plugin that is loaded, as a verb that runs once. Its worker lives until it is disposed. */
export interface PluginVerb extends Verb, Disposable {
  definition: Definition;
  run(context: HostContext): Promise<unknown>;
}

/** How to load a plugin. */
export interface LoadOptions {
  signal?: AbortSignal | undefined;
  /** How long it may take, in milliseconds. Default 10,000. */
  timeoutMs?: number;
}

/**
 * Loads the plugin that a command line names, by its file or by the name of one that came with davit.
 *
 * @throws {CliError} `not_found` when there is no such file, `plugin` when it does not load or is no plugin,
 * `deadline_exceeded` when that takes too long.
 * @throws {UsageError} when nothing has that name, or the file is none of code.
 */
export async function openPlugin(target: string, options: LoadOptions = {}): Promise<PluginVerb> {
  const file = isPath(target) ? await PluginFile.find(target) : shippedFile(target);
  if (file === undefined) throw unknownCommand([target], shippedPlugins.map(({ name }) => name));
  options.signal?.throwIfAborted();
  const sandbox = new Sandbox(file);
  try {
    return verbOf(await load(sandbox, { file, ...options }), sandbox);
  } catch (error) {
    sandbox[Symbol.dispose]();
    throw error;
  }
}

function verbOf(definition: Definition, sandbox: Sandbox): PluginVerb {
  const { name: _name, access: _access, plans = false, ...shape } = definition;
  const access = accessOf(definition);
  return {
    ...shape,
    plans: true, // by itself, or by simulation
    definition,
    run: async (context) =>
      await runPlugin({ sandbox, access, plans, context, transport: await context.transport() }),
    [Symbol.dispose]: () => sandbox[Symbol.dispose](),
  };
}

async function load(
  sandbox: Sandbox,
  { file, signal, timeoutMs = 10_000 }: LoadOptions & { file: PluginFile },
): Promise<Definition> {
  const abort = () => sandbox.fail(signal!.reason);
  const timer = setTimeout(() => sandbox.fail(overdue(file, timeoutMs)), timeoutMs);
  signal?.addEventListener("abort", abort);
  try {
    const definition = await sandbox.load();
    checkDefinition(definition);
    return definition;
  } catch (error) {
    throw error instanceof TypeError ? pluginFailure(error.message, { file, stage: "load" }) : error;
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
