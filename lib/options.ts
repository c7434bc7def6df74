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

/** A text: any, one of `choices`, or what matches `pattern`. */
export interface StringOption extends OptionFacts {
  /** Says that the value is a text. */
  type: "string";
  /** The value where none is given. */
  default?: string;
  /** A value has to be given; then there is no `default`. */
  required?: boolean;
  /** The only values allowed. */
  choices?: readonly string[];
  /** A regular expression that the whole value has to match; only plugins have it. */
  pattern?: string;
  /** What a value names. */
  completes?: Completes;
}

/** A whole number: `3`, `-1`. */
export interface IntegerOption extends OptionFacts {
  /** Says that the value is a whole number. */
  type: "integer";
  /** The value where none is given. */
  default?: number;
  /** A value has to be given; then there is no `default`. */
  required?: boolean;
  /** The least value allowed. */
  min?: number;
  /** The greatest value allowed. */
  max?: number;
}

/** A number that need not be whole: `0.5`. */
export interface NumberOption extends OptionFacts {
  /** Says that the value is a number. */
  type: "number";
  /** The value where none is given. */
  default?: number;
  /** A value has to be given; then there is no `default`. */
  required?: boolean;
  /** The least value allowed. */
  min?: number;
  /** The greatest value allowed. */
  max?: number;
}

/** `500MB`, `1.5GiB`, `1024`: a number of bytes; `K`, `M`, `G` and `T` alone count in 1024s. */
export interface SizeOption extends OptionFacts {
  /** Says that the value is a size. */
  type: "size";
  /** The value where none is given, in bytes. */
  default?: number;
  /** A value has to be given; then there is no `default`. */
  required?: boolean;
  /** The least value allowed, in bytes. */
  min?: number;
  /** The greatest value allowed, in bytes. */
  max?: number;
}

/** A flag without a value: `--name` makes it `true`, and `--no-name` makes it `false`. */
export interface BooleanOption extends OptionFacts {
  /** Says that the flag has no value. */
  type: "boolean";
  /** The value where neither is given. Default: `false`. */
  default?: boolean;
}

/** Given several times, once for each value. */
export interface ListOption extends OptionFacts {
  /** Says that there may be several values. */
  type: "list";
  /** What it holds where none is given; given values take its place. */
  default?: readonly string[];
  /** At least one value has to be given; then there is no `default`. */
  required?: boolean;
  /** Values are also split at commas. */
  commas?: boolean;
  /** The only values allowed. */
  choices?: readonly string[];
  /** What each value names. */
  completes?: Completes;
}

/** `90s`, `15m`, `1h30m`, `7d`, `2w`: a number of milliseconds. */
export interface DurationOption extends OptionFacts {
  /** Says that the value is a duration. */
  type: "duration";
  /** The value where none is given, in milliseconds. */
  default?: number;
  /** A value has to be given; then there is no `default`. */
  required?: boolean;
  /** The least value allowed, in milliseconds. */
  min?: number;
  /** The greatest value allowed, in milliseconds. */
  max?: number;
}

/** The path of a file of text, `-` for stdin. What gets the value gets the text, and needs no right to read the file. */
export interface FileOption extends OptionFacts {
  /** Says that the value is a file. */
  type: "file";
  /** A file has to be named. */
  required?: boolean;
}

/** A file that the user named. */
export interface TextFile {
  /** As it was given, for messages. */
  path: string;
  /** What is in it, as UTF-8. */
  text: string;
}

/** Options by name; the flag is the name with dashes for capitals: `dryRun` is `--dry-run`. */
export type Options = Readonly<Record<string, Option>>;

/** The values that an option table gives: `undefined` only where neither required nor with a default. */
export type OptionValues<O extends Options> = { readonly [Name in keyof O]: OptionValue<O[Name]> };

/** What an option gives to a plugin. */
export type OptionValue<O extends Option> = O extends BooleanOption ? boolean
  : O extends ListOption ? readonly (O extends { choices: readonly (infer C)[] } ? C : string)[]
  :
    | (O extends FileOption ? TextFile
      : O extends StringOption ? (O extends { choices: readonly (infer C)[] } ? C : string)
      : number)
    | (O extends { default: unknown } | { required: true } ? never : undefined);
