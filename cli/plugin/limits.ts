/** How much a plugin may say: what it sends is in the host's memory. */
import { sizeOf } from "../../lib/host.ts";

/** The most bytes of one row or value, and of all rows of a run that does not go on for ever. */
const largestRow = 16 << 20;
const largestOutput = 256 << 20;

/** The most rows of such a run. */
const mostRows = 1_000_000;

/** The most bytes of a definition. */
const largestDefinition = 1 << 20;

/** The longest line or message, in characters. */
const longestText = 16_384;

/** Keeps account of what a run puts out. */
export class OutputLimit {
  readonly #endless: boolean;
  #rows = 0;
  #bytes = 0;

  constructor({ endless }: { endless: boolean }) {
    this.#endless = endless;
  }

  /**
   * Counts a row or a value.
   *
   * @throws {RangeError} when it is too much.
   */
  count(row: unknown): void {
    this.#bytes += sizeOf(row, largestRow, "a row");
    if (this.#endless) return;
    if (++this.#rows > mostRows) throw new RangeError(`it yields more than ${mostRows} rows`);
    if (this.#bytes > largestOutput) throw new RangeError("its rows have more than 256 MiB");
  }
}

/**
 * Makes sure that a definition is of a size that one can have.
 *
 * @throws {RangeError} otherwise.
 */
export function checkDefinitionSize(data: unknown): void {
  sizeOf(data, largestDefinition, "its definition");
}

/** A text, of which not more is kept than somebody would read; of what is none, its kind. */
export function cut(text: unknown): string {
  const isObject = typeof text === "object" && text !== null; // its toString may be anything
  const all = isObject ? Object.prototype.toString.call(text) : String(text ?? "");
  return all.length > longestText ? `${all.slice(0, longestText)}…` : all;
}
