import type { Argument, Client, Column, FieldOf, Log, NamespacedClient, Registry } from "../mod.ts";
import type { Options, OptionValues, Progress } from "../mod.ts";
import type { Origins } from "./config.ts";
import type { Foreground } from "./foreground.ts";
import type { PluginSettings } from "./plugin/settings.ts";
import type { RegistryFlags } from "./registry_options.ts";

export type { Argument, Column };

/** A verb: data that flags, help, completion and rendering follow from, and the function that does the work. */
export interface Verb<O extends Options = Options, Field extends string = string> {
  /** One line for lists and help. */
  summary: string;
  /** Command lines for the help, without the name of the program: `images list -A`. */
  examples?: readonly string[];
  args?: readonly Argument[];
  options?: O;
  /** The table of its rows; a verb without prints single values as JSON and texts as they are. */
  columns?: readonly Column<Field>[];
  /** It can plan without doing: `--dry-run` is allowed and `context.dryRun` tells. */
  plans?: boolean;
  /** Doing it again does no harm and leads to the same: `--retries` tries again even when something was written. */
  repeatable?: boolean;
  /** For which options it asks before it does what it finds to do; `--yes` agrees beforehand. */
  asks?(options: OptionValues<O>): boolean;
  /** `-A` is allowed; rows then carry a `namespace`. */
  acrossNamespaces?: boolean;
  /**
   * What it returns is an AsyncIterable of bytes, which go to stdout as they are: `-o` is an error. A function says for
   * which arguments that is so.
   */
  bytes?: boolean | ((args: readonly string[]) => boolean);
  /** Its rows come as things happen: each is shown at once, on a line of its own. */
  endless?: boolean;
  /** How many arguments come before a command for a container, in which nothing is a flag of ours any more. */
  commandAfter?: number;
  /** It ends with the exit code of a process in a container; what goes wrong on our side then has codes of its own. */
  runsProcess?: boolean;
  /** It runs even when the configuration uses a context that it does not have: it shows or mends that. */
  choosesContext?: boolean;
  /** It tells of plugins, and of what the flags that are for plugins would let them do. */
  tellsOfPlugins?: boolean;
  /** Returns a row, rows or an AsyncIterable of rows, and never prints. */
  run(context: VerbContext<O>): unknown;
}

/** Whether what a verb returns for these arguments is bytes, not rows. */
export function printsBytes({ bytes = false }: Pick<Verb, "bytes">, args: readonly string[]): boolean {
  return typeof bytes === "function" ? bytes(args) : bytes;
}

/** What a verb's `run` receives. */
export interface VerbContext<O extends Options = Options> {
  args: readonly string[];
  /** For a container, as it was given; empty without {@linkcode Verb.commandAfter}. */
  command: readonly string[];
  options: OptionValues<O>;
  /** The name of `-n`, `$CONTAINERD_NAMESPACE`, or `default`. */
  namespace: string;
  /** The name of `-n` alone, for a verb that is about all namespaces without it. */
  onlyNamespace: string | undefined;
  /** The one that `$CONTAINERD_SNAPSHOTTER` names. */
  snapshotter: string | undefined;
  allNamespaces: boolean;
  dryRun: boolean;
  /** Whatever would change something is refused. */
  noWrites: boolean;
  /** The user agreed beforehand to what would be asked. */
  yes: boolean;
  /** `-o wide` or a form that shows every field: what is costly to find out is wanted. */
  wide: boolean;
  /** Only names are wanted. */
  quiet: boolean;
  /** Where containerd is, as it was given; `undefined` is its default. */
  address: string | undefined;
  /** What says where containerd is, and which namespace. */
  origins: Origins;
  /** Connects on first use. */
  client(): Promise<Client>;
  /** The client of {@linkcode VerbContext.namespace}. */
  namespaced(): Promise<NamespacedClient>;
  /** Opens the way to registries as flags, environment and configuration say; `--user` is for that of the reference. */
  registry(reference: string, flags: RegistryFlags): Promise<Registry>;
  /** Where plugins are, and what they may do. */
  plugins: PluginSettings;
  log: Log;
  progress(state: Progress): void;
  /**
   * Resolves when the user agrees, by `--yes` or by an answer on the terminal.
   *
   * @throws {UsageError} when there is no terminal to ask on.
   * @throws {CliError} `interrupted` when the answer is no.
   */
  confirm(question: string): Promise<void>;
  /** Reports the failure of one of several items; the run goes on and ends with the exit code for it. */
  failed(error: unknown): void;
  /** Says that the run was done and what it looked for is not right: exit 3. */
  found(): void;
  /** Ends the run with the exit code of a process, unless something fails. */
  exitWith(code: number): void;
  /** For a process that somebody waits for. */
  foreground: Foreground;
  /** Stdout is a terminal, which bytes of an archive would garble. */
  outputIsTerminal: boolean;
  /** Bytes from stdin, for verbs that take `-`. */
  stdin(): ReadableStream<Uint8Array>;
  signal: AbortSignal;
}

/** Defines a verb; the types of `options` follow from its table, and columns must be fields of what `run` returns. */
export function defineVerb<const O extends Options, Result>(
  verb: Verb<O, FieldOf<Awaited<Result>>> & { run(context: VerbContext<O>): Result },
): Verb {
  return verb;
}
