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

/** Which bits of its characters' codes tell the parts of a part: the low ones differ most. */
const bitsOfSteps = [[0, 1], [2, 3], [4, 5], [6]];

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
  const listFrom = async (filters: readonly string[], step: number): Promise<Item[]> => {
    try {
      return await list([...filters]);
    } catch (error) {
      const bits = bitsOfSteps[step];
      if (bits === undefined || !isTooLarge(error)) throw error;
      isWhole = false;
      const work = (condition: string) => listFrom(both(filters, condition), step + 1);
      const parts = mapConcurrently(conditions(field, bits), { limit: partsAtOnce, work });
      return (await Array.fromAsync(parts)).flat();
    }
  };
  const items = await listFrom(filters, 0);
  return isWhole ? items : items.sort((a, b) => (a[field] < b[field] ? -1 : 1));
}

/** The end of a call whose answer would be too large. */
export function isTooLarge(error: unknown): boolean {
  return error instanceof ContainerdError && error.code === "resource_exhausted";
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
