/** What may stand at the cursor, by the data of verbs. */
import type { Completes, Option } from "../../mod.ts";
import { globals, pluginFlags } from "../globals.ts";
import { helpEntry } from "../help.ts";
import { switchingFlag } from "../options.ts";
import type { Verb } from "../verb.ts";
import { nouns, verbs } from "../verbs.ts";
import { type Line, splitFlag } from "./line.ts";

/** A word that may stand at the cursor. */
export interface Candidate {
  word: string;
  summary?: string;
}

/** What containerd knows the names of. */
export type LiveKind = Exclude<Completes, "file" | "plugin" | "context">;

/** All that may stand at the cursor. */
export interface Expected {
  candidates: readonly Candidate[];
  /** Names of what containerd has, behind `prefix`. */
  live?: { kind: LiveKind; prefix: string; without: readonly string[] };
  /** The paths of files. */
  files?: boolean;
  /** The names of plugins that are installed. */
  plugins?: boolean;
  /** The contexts of the configuration, behind this. */
  contexts?: { prefix: string };
}

/** What may stand behind the words of a line where `current` is typed so far; it may be more than begins like that. */
export function expectedAt(line: Line, current: string): Expected {
  const { awaited, command, names, literal, verb } = line;
  if (awaited !== undefined) return valueOf(line.options[awaited]!, { typed: current });
  if (!literal && current.startsWith("-")) return flagOrItsValue(line, current);
  if (command.kind === "incomplete") {
    if (command.noun === undefined) return firstWord(line, current);
    return names.length > 1 ? plugin() : { candidates: spelled(command.noun.verbs, current) };
  }
  if (verb === undefined) return { candidates: spelled(line.plugins, current) };
  return line.asksForHelp ? { candidates: [] } : argument(verb, line);
}

function firstWord({ asksForHelp }: Line, current: string): Expected {
  if (isPath(current)) return { candidates: [], files: true };
  const words = [...nouns, ...verbs, ...(asksForHelp ? [] : [helpEntry])];
  // A plugin is called namespace-report, and whoever types namesp means another word than that.
  const isOwn = current !== "" && words.some(({ name }) => name.startsWith(current));
  return { candidates: spelled(words, current), plugins: !isOwn };
}

/** A plugin is also given by its file. */
function isPath(word: string): boolean {
  return /^[.~]|\//.test(word);
}

interface Named {
  name: string;
  aliases?: readonly string[];
  summary: string;
}

/** Names, and those aliases that nothing else begins like: who types them knows them. */
function spelled(all: readonly Named[], current: string): Candidate[] {
  const byName = all.map(({ name, summary }) => ({ word: name, summary }));
  if (byName.some(({ word }) => word.startsWith(current))) return byName;
  return all.flatMap(({ aliases = [], summary }) => aliases.map((word) => ({ word, summary })));
}

function plugin(): Expected {
  return { candidates: [], plugins: true, files: true };
}

function flagOrItsValue(line: Line, current: string): Expected {
  const { flag, value } = splitFlag(current, line.options);
  if (value === undefined) return { candidates: flags(line) };
  if (flag === undefined) return { candidates: [] };
  const option = line.options[flag.option]!;
  return valueOf(option, { typed: value, prefix: current.slice(0, current.length - value.length) });
}

/** The long flags that may still be given. */
function flags({ options, given, verb, command }: Line): Candidate[] {
  const fits = (name: string) =>
    !(name === "allNamespaces" && options[name] === globals.allNamespaces && verb &&
      !verb.acrossNamespaces) &&
    !(name === "dryRun" && options[name] === globals.dryRun && verb && !verb.plans) &&
    !(pluginFlags.some((flag) => flag === name) && command.kind === "verb" && !verb?.tellsOfPlugins);
  return Object.entries(options)
    .filter(([name, { type }]) => fits(name) && (type === "list" || !given.has(name)))
    .map(([name, option]) => ({ word: switchingFlag(name, option), summary: option.summary }));
}

/** What a flag takes; of a list with commas, what its last item may be. */
function valueOf(option: Option, { typed, prefix = "" }: { typed: string; prefix?: string }): Expected {
  if (option.type === "boolean") {
    return { candidates: ["true", "false"].map((word) => ({ word: prefix + word })) };
  }
  if (option.type === "file") return { candidates: [], files: true };
  if (option.type !== "string" && option.type !== "list") return { candidates: [] };
  const items = option.type === "list" && option.commas ? typed.split(",").slice(0, -1) : [];
  return named(option, { prefix: prefix + items.map((item) => `${item},`).join(""), without: items });
}

function argument({ args: expected = [] }: Verb, { args }: Line): Expected {
  const next = expected[args.length] ?? (expected.at(-1)?.repeats ? expected.at(-1) : undefined);
  return next === undefined ? { candidates: [] } : named(next, { prefix: "", without: args });
}

function named(
  { completes, choices = [] }: { completes?: Completes; choices?: readonly string[] },
  { prefix, without }: { prefix: string; without: readonly string[] },
): Expected {
  const candidates = choices.map((choice) => ({ word: prefix + choice }));
  if (completes === "file") return { candidates, files: true };
  if (completes === "plugin") return plugin();
  if (completes === "context") return { candidates, contexts: { prefix } };
  return { candidates, ...(completes && { live: { kind: completes, prefix, without } }) };
}
