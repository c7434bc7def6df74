import type { NamespacedClient } from "./client.ts";
import type { Completes, Option, Options, OptionValues } from "./options.ts";
import type { Progress } from "./progress.ts";

export type { Progress };

/** A plugin: one file whose default export is the result of {@linkcode definePlugin}, or an array of them. */
export interface Plugin<O extends Options = Options, Field extends string = string> {
  /** Lower-case words with dashes: the verb's name. */
  name: string;
  /** One line for lists and help. */
  summary: string;
  /** Command lines for the help text, without the name of the program. */
  examples?: readonly string[];
  /** Its positional arguments, in their order. Default: none. */
  args?: readonly Argument[];
  /** Becomes flags, help, completion, and the type of `options`. */
  options?: O;
  /** The table of its rows. Default: all fields of the first row, as text. */
  columns?: readonly Column<Field>[];
  /**
   * It can plan without doing: with `--dry-run`, `dryRun` tells, and the host lets nothing be written. For a plugin that
   * cannot, the host simulates what it writes and says what that would be.
   */
  plans?: boolean;
  /** Doing it again does no harm and leads to the same: `--retries` tries again even when something was written. */
  repeatable?: boolean;
  /** Its rows come as things happen: each is shown at once, on a line of its own. */
  endless?: boolean;
  /** What it may reach. Default: to read in the namespace of `-n`. */
  access?: Access;
  /** Does the work and returns what to show: a row, rows, or an AsyncIterable of rows. */
  run(context: PluginContext<O>): unknown;
}

/** A positional argument, for help and checks. Only the last one may repeat. */
export interface Argument {
  /** In capitals: `REF`. */
  name: string;
  /** One line for the help. */
  summary: string;
  /** It may be left out; then so may all that follow. */
  optional?: boolean;
  /** It takes as many values as are given. */
  repeats?: boolean;
  /** The only values allowed. */
  choices?: readonly string[];
  /** What a value names. */
  completes?: Completes;
}

/** A column of a table: which field of a row it shows and how. */
export interface Column<Field extends string = string> {
  /** In capitals, as `ctr` has it where it has it: `REF`. */
  header: string;
  /** The field; also its name in CSV. The first column's field is what `-o name` and `-q` print. */
  key: Field;
  /** Default: as text. */
  as?: "text" | "bytes" | "age" | "labels" | "list";
  /** Shown with `-o wide` only. */
  wide?: boolean;
  /** The fields that CSV has in its place, where a cell is a text made of them. */
  csv?: readonly Field[];
}

/** What a plugin may reach; the host enforces it. */
export interface Access {
  /** `"current"` (the default): the namespace of `-n`; a list of names; or `"any"`. */
  namespaces?: "current" | "any" | readonly string[];
  /**
   * `false` (the default): nothing. `"images"`: namespaces, images, content and leases, which cannot start anything.
   * `"all"`: everything, which is as good as root.
   */
  write?: false | "images" | "all";
}

/** What a plugin's `run` receives. */
export interface PluginContext<O extends Options = Options> {
  /** The client of the namespace of `-n`. */
  client: NamespacedClient;
  /** The positional arguments, as they were given. */
  args: readonly string[];
  /** The value of each option, given or default. */
  options: OptionValues<O>;
  /** Nothing is to be written: say what would be. */
  dryRun: boolean;
  /** Writes a line to stderr, as text or JSON as the user chose. */
  log: Log;
  /** Reports how far the work is, on stderr. */
  progress(state: Progress): void;
  /** Reports the failure of one of several items; the run goes on and ends with the exit code for it. */
  failed(error: unknown): void;
  /** Aborts when the user or a deadline ends the run. */
  signal: AbortSignal;
}

/**
 * The error for options or arguments that make no sense together. It ends the run of a plugin with exit 2 and its
 * message, for who called the plugin; that of any other error names the place in the code, for who wrote it.
 *
 * ```ts
 * import { definePlugin, UsageError } from "davit";
 *
 * export default definePlugin({
 *   name: "move",
 *   summary: "Move images",
 *   options: { all: { type: "boolean", summary: "x" }, match: { type: "list", summary: "x" } },
 *   run({ options: { all, match } }) {
 *     if (all === match.length > 0) throw new UsageError("Cannot move images: give either --all or --match");
 *   },
 * });
 * ```
 */
export class UsageError extends Error {
  /** The name of the class. */
  override name = "UsageError";
}

/** Lines on stderr. */
export interface Log {
  /** A line about what happens. */
  info(message: string): void;
  /** A line that begins with `warning:`, or as JSON has the level `warn`. */
  warn(message: string): void;
}

/**
 * Defines a plugin; the types of `options` in `run` follow from the table, and columns must be fields of what `run`
 * returns.
 *
 * ```ts
 * import { definePlugin, describeImages } from "davit";
 *
 * export default definePlugin({
 *   name: "big-images",
 *   summary: "List images that are larger than a size",
 *   options: { over: { type: "size", default: 100_000_000, summary: "leave out what is not" } },
 *   async *run({ client, options, signal }) {
 *     const images = describeImages(client, client.images.list({ signal }), { signal });
 *     for await (const { name, size = 0 } of images) if (size > options.over) yield { name, size };
 *   },
 * });
 * ```
 */
export function definePlugin<const O extends Options, Result>(
  plugin: Plugin<O, FieldOf<Awaited<Result>>> & {
    options?: KnownFacts<O>;
    run(context: PluginContext<O>): Result;
  },
): Plugin<O> {
  return plugin;
}

/** What a type of option does not know is `never`, so that a misspelt fact is an error where it stands. */
export type KnownFacts<O extends Options> = {
  [Name in keyof O]: Record<Exclude<keyof O[Name], keyof Extract<Option, { type: O[Name]["type"] }>>, never>;
};

/** The fields of the rows that a `run` returns, one or many; bytes have none. */
export type FieldOf<Result> = Result extends AsyncIterable<infer Row> | Iterable<infer Row>
  ? [Row] extends [Uint8Array] ? never : keyof Row & string
  : keyof Result & string;
