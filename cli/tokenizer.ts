/**
 * The strict reading of a command line. What a lenient parser would lose or guess at (`-namespace x`, `-nfoo`, a flag
 * without its value, an unknown flag) is an error here, with what was probably meant.
 */
import { nearest, type Options } from "../mod.ts";
import { UsageError } from "./errors.ts";
import { habits } from "./habits.ts";
import { flagName } from "./options.ts";

/** What the reading needs to know of a flag. */
export interface Flag {
  /** The option that it sets. */
  option: string;
  takesValue: boolean;
}

/** Flags by what stands behind their dashes. */
export type Flags = ReadonlyMap<string, Flag>;

/** A command line taken apart. */
export interface Tokens {
  /** One form for every flag, by its option: `--dryRun=true`, `--namespace=x`. The last of several counts. */
  flags: string[];
  positionals: string[];
  /** How many positionals came before `--`; absent without one. */
  literalFrom?: number;
  /** What follows the positional that completed the reading. */
  rest: readonly string[];
}

/** The flags of a table of options. */
export function flagsOf(options: Options, shortFlags: ReadonlyMap<string, string> = new Map()): Flags {
  const flags = new Map<string, Flag>();
  for (const [option, { type, short }] of Object.entries(options)) {
    const flag = { option, takesValue: type !== "boolean" };
    flags.set(flagName(option), flag);
    if (short !== undefined) flags.set(short, flag);
  }
  for (const [short, long] of shortFlags) flags.set(short, flags.get(long)!);
  return flags;
}

/**
 * Takes a command line apart, up to the positional that makes `isComplete` true. Behind `--` everything is positional.
 *
 * @throws {UsageError} at the first token that is not exactly right.
 */
export function tokenize(
  argv: readonly string[],
  { flags: known, isComplete = () => false }: {
    flags: Flags;
    isComplete?: (positionals: readonly string[]) => boolean;
  },
): Tokens {
  const flags: string[] = [];
  const positionals: string[] = [];
  let literalFrom: number | undefined;
  for (let at = 0; at < argv.length; at++) {
    const token = argv[at]!;
    const literal = literalFrom !== undefined;
    if (!literal && token === "--") {
      literalFrom = positionals.length;
    } else if (literal || token === "-" || !token.startsWith("-")) {
      positionals.push(token);
      if (!isComplete(positionals)) continue;
      const rest = argv.slice(at + 1);
      return { flags, positionals, rest: literal ? ["--", ...rest] : rest, ...found(literalFrom) };
    } else {
      const { spelling, flag, value } = readFlag(token, known);
      flags.push(`--${flag.option}=${value ?? valueBehind(spelling, argv[++at])}`);
    }
  }
  return { flags, positionals, rest: [], ...found(literalFrom) };
}

function found(literalFrom: number | undefined): Pick<Tokens, "literalFrom"> {
  return literalFrom === undefined ? {} : { literalFrom };
}

interface FlagToken {
  /** As the user wrote it, without a value: `-n`, `--to`. */
  spelling: string;
  flag: Flag;
  /** Absent when the next token is to be the value. */
  value: string | undefined;
}

function readFlag(token: string, known: Flags): FlagToken {
  const [spelling, text] = splitOnce(token);
  const name = spelling.replace(/^--?/, "");
  const isShort = !spelling.startsWith("--");
  const flag = isShort === (name.length === 1) ? known.get(name) : undefined;
  if (flag === undefined) return readNegation(spelling, text, known) ?? refuse(spelling, known);
  if (flag.takesValue) return { spelling, flag, value: text };
  if (text !== undefined && text !== "true" && text !== "false") {
    throw new UsageError(`Cannot use ${JSON.stringify(text)} for ${spelling}: it takes no value`);
  }
  return { spelling, flag, value: text ?? "true" };
}

/** `--no-dry-run` takes back an earlier `--dry-run`, of an alias or a script. */
function readNegation(spelling: string, text: string | undefined, known: Flags): FlagToken | undefined {
  const flag = spelling.startsWith("--no-") ? known.get(spelling.slice("--no-".length)) : undefined;
  if (flag === undefined || flag.takesValue || text !== undefined) return undefined;
  return { spelling, flag, value: "false" };
}

function valueBehind(spelling: string, next: string | undefined): string {
  if (next === undefined) throw new UsageError(`Missing value for ${spelling}`, habits.get(spelling));
  if (next === "-" || !next.startsWith("-")) return next;
  throw new UsageError(
    `Missing value for ${spelling}`,
    `a value that starts with a dash is given as ${spelling}=${next}`,
  );
}

function refuse(spelling: string, known: Flags): never {
  const name = spelling.replace(/^--?/, "");
  const hint = habits.get(spelling) ?? hintFor(spelling, name, known);
  throw new UsageError(`Unknown flag ${JSON.stringify(spelling)}`, hint);
}

function hintFor(spelling: string, name: string, known: Flags): string | undefined {
  const first = known.get(name[0] ?? "");
  const isShort = !spelling.startsWith("--");
  if (isShort && known.has(name)) return `did you mean --${name}?`;
  if (!isShort && name.length === 1 && first) return `did you mean -${name}?`;
  const long = nearest(name, [...known.keys()].filter((flag) => flag.length > 1));
  if (isShort && first && name.length > 1) {
    const apart = first.takesValue
      ? `-${name[0]} ${name.slice(1)}`
      : [...name].map((letter) => `-${letter}`).join(" ");
    return `did you mean "${apart}"${long === undefined ? "" : ` or --${long}`}?`;
  }
  return long === undefined ? undefined : `did you mean --${long}?`;
}

function splitOnce(token: string): [string, string | undefined] {
  const at = token.indexOf("=");
  return at === -1 ? [token, undefined] : [token.slice(0, at), token.slice(at + 1)];
}
