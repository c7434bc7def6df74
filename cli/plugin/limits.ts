/** How much a plugin may say: what it sends is in the host's memory. */

/** The most bytes of one row or value, and of all rows of a run that does not go on for ever. */
const largestRow = 16 << 20;
const largestOutput = 256 << 20;

/** The most rows of such a run. */
const mostRows = 1_000_000;

/** The most bytes of a definition. */
const largestDefinition = 1 << 20;

/** How deep objects may be in one another; one that is in itself is without end. */
const deepest = 100;

/** The longest line or message, in characters. */
const longestText = 16_384;

/** The most messages in a second that are not calls to containerd. */
const mostMessages = 20_000;

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

/** A text, of which not more is kept than somebody would read. */
export function cut(text: unknown): string {
  const all = String(text ?? "");
  return all.length > longestText ? `${all.slice(0, longestText)}…` : all;
}

/** Tells when messages come faster than anybody could want them. */
export class Flood {
  #second = 0;
  #count = 0;

  /** Counts a message; `true` when it is one too many. */
  overflows(now: number = performance.now()): boolean {
    const second = Math.floor(now / 1000);
    if (second !== this.#second) [this.#second, this.#count] = [second, 0];
    return ++this.#count > mostMessages;
  }
}

/** What a value takes, roughly, in bytes; stops at `limit`. */
function sizeOf(value: unknown, limit: number, what: string): number {
  let size = 0;
  const rest: [value: unknown, depth: number][] = [[value, 0]];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const [value, depth] = next;
    size += 16 + ownSize(value);
    if (size > limit) throw new RangeError(`${what} has more than ${limit >> 20} MiB`);
    if (depth > deepest) throw new RangeError(`${what} has more than ${deepest} levels, or is in itself`);
    for (const part of partsOf(value)) rest.push([part, depth + 1]);
  }
  return size;
}

function ownSize(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (typeof value === "bigint") return value.toString(16).length;
  return value instanceof ArrayBuffer || ArrayBuffer.isView(value) ? value.byteLength : 0;
}

function partsOf(value: unknown): Iterable<unknown> {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return [];
  if (value instanceof Map) return [...value.keys(), ...value.values()];
  if (value instanceof Set) return value;
  return Array.isArray(value) ? value : [...Object.keys(value), ...Object.values(value)];
}
