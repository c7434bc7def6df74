/** The part of `@std/cli` that davit uses. */
export interface ParseOptions {
  boolean?: readonly string[];
  string?: readonly string[];
  collect?: readonly string[];
  default?: Readonly<Record<string, unknown>>;
  alias?: Readonly<Record<string, string | readonly string[]>>;
  stopEarly?: boolean;
  "--"?: boolean;
}

/** Parses argv into named values and positionals (`_`). */
export function parseArgs(
  args: readonly string[],
  options?: ParseOptions,
): { [name: string]: unknown; _: (string | number)[] };
