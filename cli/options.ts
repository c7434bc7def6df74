/** What a table of options means on the command line: flags, and values from their texts. */
import { formatDuration, formatSize, type Option, type Options, type OptionValues } from "../mod.ts";
import { parseDuration, parseSize } from "../mod.ts";
import { UsageError } from "./errors.ts";

/** The texts of flags by the name of their option: `true` for one without a value, an array for a list. */
export type FlagTexts = Readonly<Record<string, unknown>>;

/** The flag of an option, without the dashes: `dryRun` is `dry-run`. */
export function flagName(option: string): string {
  return option.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`);
}

/** The flag by which an option becomes other than it is by default: `--no-unpack` where it is on. */
export function switchingFlag(name: string, option: Option): string {
  return `--${isOnByDefault(option) ? "no-" : ""}${flagName(name)}`;
}

/** Whether an option is on where no flag says otherwise. */
export function isOnByDefault(option: Option): boolean {
  return option.type === "boolean" && option.default === true;
}

/**
 * The values that a table of options promises.
 *
 * @throws {UsageError} when a text is not of its option's type, or a required one is missing.
 */
export function optionValues<O extends Options>(options: O, texts: FlagTexts): OptionValues<O> {
  const values = Object.entries<Option>(options)
    .map(([name, option]) => [name, valueOf(option, `--${flagName(name)}`, texts[name])]);
  return Object.fromEntries(values);
}

/**
 * Flags, as a tokenizer makes them, for options that no flag sets and an environment variable does.
 *
 * @throws {UsageError} when the text of a variable is not of its option's type.
 */
export function environmentFlags(
  options: Options,
  { flags, env }: { flags: readonly string[]; env: (name: string) => string | undefined },
): string[] {
  return Object.entries(options).flatMap(([name, { type, env: variable }]) => {
    if (variable === undefined || flags.some((flag) => flag.startsWith(`--${name}=`))) return [];
    const text = env(variable);
    if (text === undefined) return [];
    if (type === "boolean" && text !== "true" && text !== "false") {
      throw new UsageError(`Cannot use ${JSON.stringify(text)} for $${variable}: expected true or false`);
    }
    const values = type === "list" ? text.split(",") : [text];
    if (type !== "boolean") valueOf(options[name]!, `$${variable}`, type === "list" ? values : text);
    return values.map((value) => `--${name}=${value}`);
  });
}

/** `source` is the flag or the variable that a text comes from, for messages. */
function valueOf(option: Option, source: string, text: unknown): unknown {
  if (option.type === "boolean") return (text ?? option.default) === true;
  if (option.type === "list") return listOf(option, source, text as readonly string[] | undefined);
  if (typeof text === "string") return parse(option, source, text);
  if ("default" in option && option.default !== undefined) return option.default;
  if (option.required) throw missing(source, option);
  return undefined;
}

function listOf(
  option: Extract<Option, { type: "list" }>,
  source: string,
  texts: readonly string[] = [],
): readonly string[] {
  if (texts.length === 0 && option.default !== undefined) return option.default;
  const items = option.commas ? texts.flatMap((text) => text.split(",")) : texts;
  if (items.length === 0 && option.required) throw missing(source, option);
  if (option.commas && items.includes("")) throw unusable(source, texts.join(","), "an item is empty");
  const wrong = items.find((item) => option.choices?.includes(item) === false);
  if (wrong !== undefined) throw unusable(source, wrong, `expected ${alternatives(option.choices!)}`);
  return items;
}

function parse(option: Exclude<Option, { type: "boolean" | "list" }>, source: string, text: string): unknown {
  switch (option.type) {
    case "string":
      if (option.choices && !option.choices.includes(text)) {
        throw unusable(source, text, `expected ${alternatives(option.choices)}`);
      }
      return text;
    case "integer":
      return within(option, source, { text, number: parseInteger(source, text) });
    case "number":
      return within(option, source, { text, number: parseNumber(source, text) });
    case "size": {
      const bytes = parseSize(text);
      if (bytes === undefined) throw unusable(source, text, "expected a size, such as 500MB, 1.5GiB or 1024");
      return within(option, source, { text, number: bytes, show: formatSize });
    }
    case "duration": {
      const durationMs = parseDuration(text);
      if (durationMs === undefined) {
        throw unusable(source, text, "expected a duration with units, such as 90s, 15m, 1h30m, 7d or 2w");
      }
      return within(option, source, { text, number: durationMs, show: formatDuration });
    }
    case "file":
      return text; // of its path; whoever reads the command line reads the file
  }
}

function parseInteger(source: string, text: string): number {
  const number = Number(text);
  if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(number)) {
    throw unusable(source, text, "not a whole number");
  }
  return number;
}

function parseNumber(source: string, text: string): number {
  if (!/^-?(?:\d+\.?\d*|\.\d+)$/.test(text)) throw unusable(source, text, "not a number");
  return Number(text);
}

function within(
  { min = -Infinity, max = Infinity }: { min?: number; max?: number },
  source: string,
  { text, number, show = String }: { text: string; number: number; show?: (number: number) => string },
): number {
  if (number < min) throw unusable(source, text, `less than ${show(min)}`);
  if (number > max) throw unusable(source, text, `more than ${show(max)}`);
  return number;
}

function unusable(source: string, text: string, reason: string): UsageError {
  return new UsageError(`Cannot use ${JSON.stringify(text)} for ${source}: ${reason}`);
}

function missing(source: string, { summary }: Option): UsageError {
  return new UsageError(`Missing ${source}: ${summary}`);
}

/** `a, b or c` */
export function alternatives(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
