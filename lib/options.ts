/** An option of a verb or plugin: a flag, its help, and the type of its value. */
export type Option =
  | StringOption
  | IntegerOption
  | NumberOption
  | SizeOption
  | BooleanOption
  | ListOption
  | DurationOption
  | FileOption;

/**
 * What there is a value can name, for completion: `file` is one of this machine, `context` one of davit's configuration,
 * `ingest` a blob that is being written.
 */
export type Completes =
  | "namespace"
  | "image"
  | "content"
  | "ingest"
  | "snapshot"
  | "snapshotter"
  | "container"
  | "task"
  | "sandbox"
  | "lease"
  | "plugin"
  | "context"
  | "file";

/** What may be said of options of all types. */
export interface OptionFacts {
  /** One line for the help. */
  summary: string;
  /** One letter that does as well, `d` for `-d`; those of global flags stay theirs. */
  short?: string;
  /** What stands for the value in the help; default: the type in capitals. */
  placeholder?: string;
  /**
   * The environment variable that gives the value where the flag does not; of a list, with commas. One of a plugin
   * begins with `DAVIT_`, so that none can ask for what is not meant for it.
   */
  env?: string;
}

export interface StringOption extends OptionFacts {
  type: "string";
  default?: string;
  required?: boolean;
  /** The only values allowed. */
  choices?: readonly string[];
  /** A regular expression that the whole value has to match; only plugins have it. */
  pattern?: string;
  completes?: Completes;
}

export interface IntegerOption extends OptionFacts {
  type: "integer";
  default?: number;
  required?: boolean;
  min?: number;
  max?: number;
}

/** A number that need not be whole: `0.5`. */
export interface NumberOption extends OptionFacts {
  type: "number";
  default?: number;
  required?: boolean;
  min?: number;
  max?: number;
}

/** `500MB`, `1.5GiB`, `1024`: a number of bytes; `K`, `M`, `G` and `T` alone count in 1024s. */
export interface SizeOption extends OptionFacts {
  type: "size";
  default?: number;
  required?: boolean;
  min?: number;
  max?: number;
}

export interface BooleanOption extends OptionFacts {
  type: "boolean";
}

/** Given several times, once for each value. */
export interface ListOption extends OptionFacts {
  type: "list";
  /** What it holds where none is given; given values take its place. */
  default?: readonly string[];
  required?: boolean;
  /** Values are also split at commas. */
  commas?: boolean;
  /** The only values allowed. */
  choices?: readonly string[];
  completes?: Completes;
}

/** `90s`, `15m`, `24h`, `7d`: a number of milliseconds. */
export interface DurationOption extends OptionFacts {
  type: "duration";
  default?: number;
  required?: boolean;
  min?: number;
  max?: number;
}

/** The path of a file of text, `-` for stdin. What gets the value gets the text, and needs no right to read the file. */
export interface FileOption extends OptionFacts {
  type: "file";
  required?: boolean;
}

/** A file that the user named. */
export interface TextFile {
  /** As it was given, for messages. */
  path: string;
  text: string;
}

/** Options by name; the flag is the name with dashes for capitals: `dryRun` is `--dry-run`. */
export type Options = Readonly<Record<string, Option>>;

/** The values that an option table gives: `undefined` only where neither required nor with a default. */
export type OptionValues<O extends Options> = { readonly [Name in keyof O]: OptionValue<O[Name]> };

/** What an option gives to a plugin. */
export type OptionValue<O extends Option> = O extends BooleanOption ? boolean
  : O extends ListOption ? readonly (O extends { choices: readonly (infer C)[] } ? C : string)[]
  : O extends FileOption ? Given<O, TextFile>
  : O extends StringOption ? Given<O, O extends { choices: readonly (infer C)[] } ? C : string>
  : Given<O, number>;

type Given<O, Value> = O extends { default: unknown } | { required: true } ? Value : Value | undefined;
