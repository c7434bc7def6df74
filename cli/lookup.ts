import { UsageError } from "./errors.ts";
import { docker, strange } from "./habits.ts";
import { nearest } from "../mod.ts";
import { type LoadVerb, type Noun, nouns, verbs } from "./verbs.ts";

/** What the first words of a command line name. */
export type Command =
  /** Nothing yet, or only a noun. */
  | { kind: "incomplete"; noun: Noun | undefined }
  | { kind: "verb"; words: readonly string[]; load: LoadVerb }
  /** A file, or a name that no verb has. */
  | { kind: "plugin"; target: string }
  | { kind: "unknown"; error: UsageError };

/** Whether more words cannot change what is named; all words behind `help` name something. */
export function isComplete(words: readonly string[]): boolean {
  return words[0] !== "help" && findCommand(words).kind !== "incomplete";
}

/** What words name. Whether there is a plugin of a name is not known here. */
export function findCommand([first, second, third]: readonly string[]): Command {
  if (first === undefined) return { kind: "incomplete", noun: undefined };
  const alone = named(verbs, first);
  if (alone) return { kind: "verb", words: [alone.name], load: alone.load };
  const noun = named(nouns, first);
  if (noun === undefined) return { kind: "plugin", target: first };
  if (second === undefined) return { kind: "incomplete", noun };
  const verb = named(noun.verbs, second);
  if (verb === undefined) return { kind: "unknown", error: unknownCommand([first, second]) };
  if (verb.load) return { kind: "verb", words: [noun.name, verb.name], load: verb.load };
  return third === undefined ? { kind: "incomplete", noun } : { kind: "plugin", target: third };
}

/** The error for words that name no verb and none of `plugins`. */
export function unknownCommand(
  [first = "", second]: readonly string[],
  plugins: readonly string[] = [],
): UsageError {
  const noun = named(nouns, first);
  if (noun && second !== undefined) {
    const near = nearest(second, noun.verbs.flatMap(spellings));
    return new UsageError(
      `Cannot run ${JSON.stringify(`${noun.name} ${second}`)}: no such verb`,
      near === undefined
        ? `${noun.name} has ${noun.verbs.map(({ name }) => name).join(", ")}`
        : `did you mean "${noun.name} ${near}"?`,
    );
  }
  const unusual = strange.get(first);
  if (unusual) return new UsageError(`Cannot run ${JSON.stringify(first)}: davit has no such verb`, unusual);
  const near = docker.get(first) ?? nearest(first, [...[...nouns, ...verbs].flatMap(spellings), ...plugins]);
  return new UsageError(
    `Cannot run ${JSON.stringify(first)}: no such noun, verb or plugin`,
    near === undefined ? `"davit help" lists them` : `did you mean "${near}"?`,
  );
}

interface Named {
  name: string;
  aliases?: readonly string[];
}

function named<T extends Named>(all: readonly T[], word: string): T | undefined {
  return all.find((one) => spellings(one).includes(word));
}

function spellings({ name, aliases = [] }: Named): string[] {
  return [name, ...aliases];
}
