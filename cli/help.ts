/** Help from the same data that flags and the list of verbs come from; pure, so that a reference can be made of it. */
import { formatDuration, formatSize, type Option, type Options } from "../mod.ts";
import { globals, shortFlags } from "./globals.ts";
import { alternatives, flagName, isOnByDefault } from "./options.ts";
import { layOut } from "./table.ts";
import { shippedPlugins } from "./plugin/shipped.ts";
import type { Argument, Verb } from "./verb.ts";
import { type Noun, nouns, type VerbEntry, verbs } from "./verbs.ts";

/** Help on davit as a whole. */
export function overview(): string {
  return sections([
    "davit: images, containers and namespaces of containerd, and what keeps them there",
    "Usage: davit [global flags] NOUN VERB [flags] [arguments]",
    list("Nouns", nouns.map(entryLine)),
    list("Verbs of their own", [...verbs, helpEntry].map(entryLine)),
    list("Plugins that come with davit", shippedPlugins.map(entryLine)),
    list("Global flags, anywhere before --", flagLines(globals)),
    valueForms(globals).join(" "),
    '"davit NOUN --help" and "davit NOUN VERB --help" tell more.',
  ]);
}

/** Help on a noun. */
export function helpOfNoun(noun: Noun): string {
  return sections([
    `davit ${noun.name}: ${noun.summary}`,
    `Usage: davit ${noun.name} VERB [flags] [arguments]`,
    noun.aliases && `Aliases: ${noun.aliases.join(", ")}`,
    list("Verbs", noun.verbs.map(entryLine)),
  ]);
}

/** Help on a verb, by its words: `images`, `copy`. */
export function helpOfVerb(words: readonly string[], verb: Verb): string {
  const { args = [], options = {}, examples = [] } = verb;
  return sections([
    `davit ${words.join(" ")}: ${verb.summary}`,
    `Usage: ${usageOf(words, verb)}`,
    list("Arguments", argumentLines(args)),
    list("Flags", flagLines(options)),
    [...valueForms(options), ...remarks(verb)].join(" ") || undefined,
    list("Examples", examples.map((example) => [`davit ${example}`])),
    '"davit --help" lists the global flags.',
  ]);
}

/** How a verb is called: `davit images copy REF... --to NAMESPACE [flags]`; flags come before a command that is passed on. */
export function usageOf(words: readonly string[], verb: Omit<Verb, "run">): string {
  const { args = [], options = {}, commandAfter } = verb;
  const positionals = args.map(argumentUsage);
  const flags = [...requiredFlags(options), "[flags]"];
  return [
    "davit",
    ...words,
    ...(commandAfter === undefined ? [positionals, flags] : [flags, positionals]).flat(),
  ]
    .join(" ");
}

/** Each argument as it is written in a usage, and what it is. */
export function argumentLines(args: readonly Argument[]): string[][] {
  return args.map((arg) => [argumentUsage(arg), arg.summary + notesOn(arg)]);
}

/** What there is to say of a verb beside its own flags, in sentences. */
export function remarks({ acrossNamespaces, plans, repeatable, bytes }: Omit<Verb, "run">): string[] {
  const flags = { allNamespaces: acrossNamespaces, dryRun: plans };
  const taken = Object.entries(flags).filter(([, isTaken]) => isTaken).map(([option]) =>
    `--${flagName(option)}`
  );
  return [
    ...(taken.length > 0 ? [`Takes ${taken.join(" and ")}.`] : []),
    ...(repeatable ? ["With --retries it is tried again even after it has written."] : []),
    ...(bytes === true ? ["Prints bytes as they are, so that it takes no --output."] : []),
  ];
}

const formOfType: Readonly<Partial<Record<Option["type"], string>>> = {
  duration: "Durations are like 90s, 15m, 1h30m, 7d or 2w.",
  size: "Sizes are like 500MB, 1.5GiB or 1024.",
};

/** How the values of options are written where their types do not say it, in sentences; of all types without options. */
export function valueForms(options?: Options): string[] {
  const types = options && new Set(Object.values(options).map(({ type }) => type));
  return Object.entries(formOfType)
    .filter(([type]) => types === undefined || types.has(type as Option["type"])).map(([, form]) => form);
}

/** `help`, which is no verb of its own. */
export const helpEntry: Pick<VerbEntry, "name" | "summary"> = {
  name: "help",
  summary: "Show help: of davit, of a noun, of a verb",
};

function entryLine(
  { name, aliases = [], summary }: Pick<VerbEntry, "name" | "aliases" | "summary">,
): string[] {
  return [[name, ...aliases].join(", "), summary];
}

/** Each flag with its short form and what stands for its value, and what it does. */
export function flagLines(options: Options): string[][] {
  const shortOf = new Map([...shortFlags].map(([short, long]) => [long, short]));
  return Object.entries(options).map(([name, option]) => {
    const flag = flagName(name);
    const short = options === globals ? shortOf.get(flag) : option.short;
    const long = `--${isOnByDefault(option) ? "[no-]" : ""}${flag}${valueOf(option)}`;
    const spelled = short === undefined ? long : `-${short}, ${long}`;
    return [spelled, option.summary + notes(option)];
  });
}

function valueOf({ type, placeholder }: Option): string {
  return type === "boolean" ? "" : ` ${placeholder ?? (type === "list" ? "STRING" : type.toUpperCase())}`;
}

/** What the table says about a value beyond its type: `(table, json or csv; default table)`. */
function notes(option: Option): string {
  const notes: string[] = [];
  if ("choices" in option && option.choices) notes.push(alternatives(option.choices));
  if ("pattern" in option && option.pattern !== undefined) notes.push(`matches ${option.pattern}`);
  if ("min" in option || "max" in option) notes.push(...rangeOf(option));
  if ("required" in option && option.required) notes.push("required");
  if ("default" in option && (option.default ?? false) !== false) notes.push(defaultOf(option));
  if (option.env !== undefined) notes.push(`else $${option.env}`);
  if (option.type === "list") notes.push(option.commas ? "several, or separated by commas" : "several");
  return notes.length === 0 ? "" : ` (${notes.join("; ")})`;
}

function defaultOf({ type, default: value }: Extract<Option, { default?: unknown }>): string {
  if (type === "boolean") return "on by default";
  if (type === "duration") return `default ${formatDuration(value!)}`;
  return `default ${type === "size" ? formatSize(value!) : value}`; // of a list, with commas
}

/** `1 to 9`, `1 or more`, `up to 9`, as it would be given. */
function rangeOf({ type, min, max }: Extract<Option, { min?: number }>): string[] {
  const show = type === "size" ? formatSize : type === "duration" ? formatDuration : String;
  if (max !== undefined) return [min === undefined ? `up to ${show(max)}` : `${show(min)} to ${show(max)}`];
  return min === undefined || min === 0 ? [] : [`${show(min)} or more`];
}

function notesOn({ choices }: Argument): string {
  return choices === undefined ? "" : ` (${alternatives(choices)})`;
}

function argumentUsage({ name, optional, repeats }: Argument): string {
  const repeated = repeats ? `${name}...` : name;
  return optional ? `[${repeated}]` : repeated;
}

function requiredFlags(options: Options): string[] {
  return Object.entries(options)
    .filter(([, option]) => "required" in option && option.required)
    .map(([name, option]) => `--${flagName(name)}${valueOf(option)}`);
}

function list(title: string, lines: readonly (readonly string[])[]): string | undefined {
  return lines.length === 0 ? undefined : `${title}:\n${layOut(lines).replace(/^(?=.)/gm, "  ").trimEnd()}`;
}

function sections(parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).map((part) => `${part}\n`).join("\n");
}
