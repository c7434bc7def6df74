/** The part of `@std/csv` that davit uses. */
export interface StringifyOptions {
  columns: readonly string[];
  headers?: boolean;
  crlf?: boolean;
}

/** RFC 4180 text of `rows`; the header row first unless `headers` is false. */
export function stringify(
  rows: readonly Readonly<Record<string, unknown>>[],
  options: StringifyOptions,
): string;

/** The records of an RFC 4180 text, each an array of fields. */
export function parse(text: string): string[][];
