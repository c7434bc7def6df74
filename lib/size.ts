/** What a letter before the unit multiplies by, in each way to count. */
const prefixes = ["", "K", "M", "G", "T", "P"];

/**
 * `500MB`, `1.5GiB`, `64K` or `1024` in bytes; `undefined` when it is none. Only `KB`, `MB`, … count in thousands.
 *
 * ```ts
 * import { formatSize, parseSize } from "davit";
 * import { assertEquals } from "davit/testing";
 *
 * assertEquals(parseSize("1.5GiB"), 1_610_612_736);
 * assertEquals(formatSize(512 * 1024 ** 2), "512MiB");
 * assertEquals(parseSize("much"), undefined);
 * ```
 */
export function parseSize(text: string): number | undefined {
  const [, number, prefix = "", unit] = /^(\d+(?:\.\d+)?) ?([KMGTP]?)(B|iB)?$/i.exec(text) ?? [];
  if (number === undefined || (prefix === "" && unit?.toLowerCase() === "ib")) return undefined;
  const base = unit?.toLowerCase() === "b" ? 1000 : 1024;
  const bytes = Math.round(Number(number) * base ** prefixes.indexOf(prefix.toUpperCase()));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** A number of bytes in its largest whole unit, as it could be given: `512MiB`. */
export function formatSize(bytes: number): string {
  const power = prefixes.findLastIndex((_, power) => bytes >= 1024 ** power && bytes % 1024 ** power === 0);
  return power < 1 ? String(bytes) : `${bytes / 1024 ** power}${prefixes[power]}iB`;
}
