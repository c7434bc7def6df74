import type { NamespacedClient } from "./client.ts";
import type { Options, OptionValues } from "./options.ts";

/** A plugin: one file whose default export is the result of {@linkcode definePlugin}. */
export interface Plugin<O extends Options = Options> {
  /** Lower-case words with dashes: the verb's name. */
  name: string;
  /** One line for lists and help. */
  summary: string;
  /** Command lines for the help text, without the name of the program. */
  examples?: readonly string[];
  /** Becomes flags, help, completion, and the type of `options`. */
  options?: O;
  access?: Access;
  /** Does the work and returns what to show: a row, rows, or an AsyncIterable of rows. */
  run(context: PluginContext<O>): unknown;
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
  options: OptionValues<O>;
  /** Writes a line to stderr, as text or JSON as the user chose. */
  log: Log;
  /** Reports how far the work is, on stderr. */
  progress(state: Progress): void;
  /** Aborts when the user or a deadline ends the run. */
  signal: AbortSignal;
}

/** Lines on stderr. */
export interface Log {
  info(message: string): void;
  warn(message: string): void;
}

/** How far the work is. */
export interface Progress {
  /** What is being worked on: `copying`. */
  task: string;
  done: number;
  /** Absent while unknown. */
  total?: number;
}

/** Defines a plugin; the types of `options` in `run` follow from the table. */
export function definePlugin<const O extends Options>(plugin: Plugin<O>): Plugin<O> {
  return plugin;
}
