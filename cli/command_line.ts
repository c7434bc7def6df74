import { parseArgs } from "@std/cli";
import type { Options, OptionValues } from "../mod.ts";
import { UsageError } from "./errors.ts";
import { type Globals, globals, pluginFlags, shortFlags } from "./globals.ts";
import { findCommand, isComplete } from "./lookup.ts";
import {
  alternatives,
  environmentFlags,
  flagName,
  type FlagTexts,
  isOnByDefault,
  optionValues,
} from "./options.ts";
import { flagsOf, tokenize, type Tokens } from "./tokenizer.ts";
import { type Argument, printsBytes, type Verb } from "./verb.ts";
import type { Noun, VerbEntry } from "./verbs.ts";

/** What a command line asks for. */
export type Invocation =
  | { kind: "version" }
  | { kind: "help"; noun: Noun | undefined }
  | { kind: "help of a verb"; words: readonly string[]; verb: Verb }
  | {
    kind: "run";
    words: readonly string[];
    verb: Verb;
    globals: Globals;
    options: OptionValues<Options>;
    args: readonly string[];
    /** For a process in a container, as it was given. */
    command: readonly string[];
  };

/** A command line names a file of several plugins and none of them, which are like the verbs of a noun. */
export class PluginNotNamed extends UsageError {
  readonly noun: Noun;

  constructor(target: string, plugins: readonly Pick<VerbEntry, "name" | "summary">[]) {
    super(
      `Cannot run ${JSON.stringify(target)}: it has several plugins; name one behind it`,
      `it has ${plugins.map(({ name }) => name).join(", ")}`,
    );
    this.noun = { name: target, summary: "Plugins of one file", verbs: plugins };
  }
}

/**
 * Loads the plugin that a command line names, as a verb; `words` has a second one if that is the name of the plugin.
 *
 * @throws {PluginNotNamed} when its file has several, and none is named.
 */
export type OpenPlugin = (
  target: string,
  next: string | undefined,
) => Promise<Verb & { words: readonly string[] }>;

/** What a command line is read by. */
export interface ReadingOptions {
  /** Learns of the verb before its flags are read. */
  onVerb?: (verb: Verb) => void;
  /** Values of options, where no flag gives them. Default: nothing is set. */
  env?: (name: string) => string | undefined;
}

/**
 * Reads a command line, and loads the verb that it names.
 *
 * @throws {UsageError} when it is not exactly right.
 */
export async function readCommandLine(
  argv: readonly string[],
  openPlugin: OpenPlugin,
  { onVerb = () => {}, env = () => undefined }: ReadingOptions = {},
): Promise<Invocation> {
  const globalFlags = flagsOf(globals, shortFlags);
  const head = tokenize(argv, { flags: globalFlags, isComplete });
  const given = textsOf(head.flags, globals);
  if (given.version) return { kind: "version" };
  const asksForHelp = head.positionals[0] === "help";
  const words = head.positionals.slice(asksForHelp ? 1 : 0);
  const command = findCommand(words);
  if (command.kind === "unknown") throw command.error;
  if (command.kind === "incomplete") return { kind: "help", noun: command.noun };
  const isPlugin = command.kind === "plugin";
  const found = isPlugin
    ? await opened(command.target, {
      next: asksForHelp ? words[words.indexOf(command.target) + 1] : head.rest[0],
      asksForHelp: asksForHelp || given.help === true ||
        head.rest.some((word) => word === "--help" || word === "-h"),
      openPlugin,
    })
    : { words: command.words, verb: (await command.load()).default };
  if ("noun" in found) return { kind: "help", noun: found.noun };
  const { words: named, verb } = found;
  const rest = head.rest.slice(isPlugin ? named.length - 1 : 0);
  onVerb(verb);
  const options: Options = { ...globals, ...verb.options };
  const tail = tokenize(rest, {
    flags: flagsOf(options, shortFlags),
    isComplete: ({ length }) => length === verb.commandAfter,
  });
  const flags = [...head.flags, ...tail.flags];
  const asked = textsOf(flags, options);
  if (asked.version) return { kind: "version" };
  if (asksForHelp || asked.help) return { kind: "help of a verb", words: named, verb };
  const texts = textsOf([...environmentFlags(verb.options ?? {}, { flags, env }), ...flags], options);
  const invocation = {
    kind: "run" as const,
    words: named,
    verb,
    globals: optionValues(globals, texts),
    options: optionValues(verb.options ?? {}, texts),
    ...argumentsOf(verb, tail),
  };
  checkArguments(named.join(" "), verb.args ?? [], [...invocation.args, ...invocation.command]);
  checkGlobals(named.join(" "), invocation);
  if (!isPlugin && !verb.tellsOfPlugins) checkNoPluginFlags(named.join(" "), invocation.globals);
  return invocation;
}

/** A plugin, of which the word behind its file may be the name; where that is missing and help is wanted, all of the file. */
async function opened(
  target: string,
  { next, asksForHelp, openPlugin }: {
    next: string | undefined;
    asksForHelp: boolean;
    openPlugin: OpenPlugin;
  },
): Promise<{ words: readonly string[]; verb: Verb } | { noun: Noun }> {
  try {
    const verb = await openPlugin(target, next?.startsWith("-") ? undefined : next);
    return { words: verb.words, verb };
  } catch (error) {
    if (error instanceof PluginNotNamed && asksForHelp) return { noun: error.noun };
    throw error;
  }
}

function checkNoPluginFlags(name: string, globals: Globals): void {
  const given = pluginFlags.find((flag) => globals[flag].length > 0);
  if (given === undefined) return;
  throw new UsageError(`Cannot use --${flagName(given)} with ${JSON.stringify(name)}: it is no plugin`);
}

/** Whether stderr is to be JSON, as far as a command line tells that may be wrong. */
export function wantsJson(argv: readonly string[]): boolean {
  const line = `\0${argv.join("\0")}\0`;
  const format = /\0--log-format[=\0](text|json)\0/.exec(line)?.[1];
  return format === undefined ? /\0(-o|--output)[=\0]jsonl?\0/.test(line) : format === "json";
}

/** Where a verb's own arguments end and a command begins: behind as many as it has, or behind an earlier `--`. */
function argumentsOf(
  { commandAfter }: Verb,
  { positionals, literalFrom, rest }: Tokens,
): { args: readonly string[]; command: readonly string[] } {
  if (commandAfter === undefined) return { args: positionals, command: [] };
  const behind = rest[0] === "--" ? rest.slice(1) : rest;
  const end = Math.min(literalFrom || commandAfter, commandAfter); // behind a "--" in front of all there is no other
  return { args: positionals.slice(0, end), command: [...positionals.slice(end), ...behind] };
}

function textsOf(flags: readonly string[], options: Options): FlagTexts {
  const ofType = (...types: string[]) =>
    Object.keys(options).filter((name) => types.includes(options[name]!.type));
  return parseArgs(flags, {
    boolean: ofType("boolean"),
    default: Object.fromEntries(ofType("boolean").map((name) => [name, isOnByDefault(options[name]!)])),
    string: ofType("string", "integer", "number", "size", "duration", "file", "list"),
    collect: ofType("list"),
  });
}

function checkArguments(verb: string, expected: readonly Argument[], args: readonly string[]): void {
  const hint = `see "davit ${verb} --help"`;
  const missing = expected.find(({ optional }, at) => !optional && at >= args.length);
  if (missing) throw new UsageError(`Cannot run ${JSON.stringify(verb)}: ${missing.name} is missing`, hint);
  checkChoices(expected, args, hint);
  if (expected.at(-1)?.repeats || args.length <= expected.length) return;
  const extra = JSON.stringify(args[expected.length]);
  throw new UsageError(`Cannot run ${JSON.stringify(verb)}: unexpected argument ${extra}`, hint);
}

function checkChoices(expected: readonly Argument[], args: readonly string[], hint: string): void {
  for (const [at, arg] of args.entries()) {
    const { name, choices } = expected[Math.min(at, expected.length - 1)] ?? {};
    if (choices === undefined || choices.includes(arg)) continue;
    throw new UsageError(
      `Cannot use ${JSON.stringify(arg)} for ${name}: expected ${alternatives(choices)}`,
      hint,
    );
  }
}

function checkGlobals(
  name: string,
  { verb, args, globals }: { verb: Verb; args: readonly string[]; globals: Globals },
): void {
  const { allNamespaces, dryRun, output, quiet, namespace } = globals;
  if (allNamespaces && !verb.acrossNamespaces) {
    throw new UsageError(
      `Cannot use --all-namespaces with ${JSON.stringify(name)}: it does not list by namespace`,
    );
  }
  if (dryRun && !verb.plans) {
    throw new UsageError(`Cannot use --dry-run with ${JSON.stringify(name)}: it has no plan to show`);
  }
  if (printsBytes(verb, args) && (quiet || output !== "table")) {
    const flag = quiet ? "--quiet" : "--output";
    throw new UsageError(`Cannot use ${flag} with ${JSON.stringify(name)}: it prints bytes as they are`);
  }
  if (quiet && output !== "table" && output !== "name") {
    throw new UsageError(`Cannot use --quiet with --output ${output}: it is short for --output name`);
  }
  if (namespace === "") throw new UsageError("Cannot use an empty --namespace");
}
