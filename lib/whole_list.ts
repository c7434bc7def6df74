import { mapConcurrently } from "./concurrency.ts";
import { ContainerdError } from "./errors.ts";

/** A list that containerd sends in one message. */
export interface OneMessageList<Item, Field extends keyof Item & string> {
  /** In containerd's syntax; none for all. */
  filters: readonly string[];
  /** What names an item and never changes, by its name in items and in filters. */
  field: Field;
  list(filters: string[]): Promise<Item[]>;
}

/** Each part may be as large as a message. */
const partsAtOnce = 2;

/** Characters of names; all others count for nothing. */
const characters = [..."0123456789abcdefghijklmnopqrstuvwxyz"];

/** Which bits of its characters' codes tell the parts of a list: the low ones differ most. */
const allBits = [0, 1, 2, 3, 4, 5, 6];

/**
 * Gets a list whole. containerd sends no message above 16 MiB; a list that is larger comes in parts, each by filters,
 * and is then ordered by its field. A part is what has the same sum of bits in its names, so that numbered names and
 * those with equal ends are spread as well as any. An item is in exactly one part, whatever of it changes meanwhile.
 *
 * @throws {ContainerdError} `resource_exhausted` when a part is too large still: a list of gigabytes, or odd names.
 */
export async function wholeList<Item, Field extends keyof Item & string>(
  { filters, field, list }: OneMessageList<Item, Field>,
): Promise<Item[]> {
  let isWhole = true;
  const listFrom = async (filters: readonly string[], bits: readonly number[]): Promise<Item[]> => {
    try {
      return await list([...filters]);
    } catch (error) {
      if (bits.length === 0 || !isTooLarge(error)) throw error;
      isWhole = false;
      const needed = bitsFor(error);
      const work = (condition: string) => listFrom(both(filters, condition), bits.slice(needed));
      const parts = conditions(field, bits.slice(0, needed));
      return (await Array.fromAsync(mapConcurrently(parts, { limit: partsAtOnce, work }))).flat();
    }
  };
  const items = await listFrom(filters, allBits);
  return isWhole ? items : items.sort((a, b) => (a[field] < b[field] ? -1 : 1));
}

/** The end of a call whose answer would be too large. */
export function isTooLarge(error: unknown): error is ContainerdError {
  return error instanceof ContainerdError && error.code === "resource_exhausted";
}

/** Each further part costs a look at all items, so there are only as many as the size demands, if it is told. */
function bitsFor({ reason }: ContainerdError): number {
  const [, size, limit] = /\((\d+) vs\.? (\d+)\)/.exec(reason) ?? [];
  return Math.max(1, Math.ceil(Math.log2(1.25 * Number(size ?? 3) / Number(limit ?? 1))));
}

/** What is left of each filter under a further condition. */
function both(filters: readonly string[], condition: string): string[] {
  if (filters.length === 0) return [condition];
  return filters.map((filter) => (filter === "" ? condition : `${filter},${condition}`));
}

/** Conditions of which every item meets exactly one. */
function conditions(field: string, bits: readonly number[]): string[] {
  return bits.reduce(
    (found, bit) => found.flatMap((condition) => halves(field, bit).map((half) => [...condition, half])),
    [[]] as string[][],
  ).map((condition) => condition.join(","));
}

/** An even number of characters with the bit, or an odd one. Whatever comes next, one way is open to the matcher. */
function halves(field: string, bit: number): string[] {
  const set = characters.filter((character) => (character.charCodeAt(0) >> bit) & 1).join("");
  const [one, others] = [`[${set}]`, `[^${set}]*`];
  const pairs = `(?:${one}${others}${one}${others})*$`;
  return [`^${others}${pairs}`, `^${others}${one}${others}${pairs}`]
    .map((pattern) => `${field}~=${JSON.stringify(pattern)}`);
}
