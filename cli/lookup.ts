import { UsageError } from "./errors.ts";
import { nearest } from "./suggest.ts";
import { type Noun, nouns, type VerbEntry, verbs } from "./verbs.ts";

/** What the first words of a command line name. */
export type Command =
  /** Nothing yet, or only a noun: its help. */
  | { kind: "noun"; noun: Noun | undefined }
  | { kind: "verb"; words: readonly string[]; entry: VerbEntry }
  /** A file, or a name that no verb has. */
  | { kind: "plugin"; target: string };

/** Whether more words cannot change what is named; all words behind `help` name something. */
export function isComplete(words: readonly string[]): boolean {
  return words[0] !== "help" && (findCommand(words).kind !== "noun" || words.length >= 2);
}

/** What words name, without telling wrong ones from names of plugins. */
export function findCommand([first, second]: readonly string[]): Command {
  if (first === undefined) return { kind: "noun", noun: undefined };
  const entry = named(verbs, first);
  if (entry) return { kind: "verb", words: [entry.name], entry };
  const noun = named(nouns, first);
  if (noun === undefined) return { kind: "plugin", target: first };
  const verb = second === undefined ? undefined : named(noun.verbs, second);
  return verb ? { kind: "verb", words: [noun.name, verb.name], entry: verb } : { kind: "noun", noun };
}

/** The error for words that name no verb. */
export function unknownCommand([first = "", second]: readonly string[]): UsageError {
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
  const near = nearest(first, [...nouns, ...verbs].flatMap(spellings));
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
