import { mapConcurrent } from "./concurrency.ts";
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

/** More would not be of the same size. */
const maxParts = 4;

/** How often characters of a set are in a name, modulo the number of parts, tells its part; few ranges match fast. */
const allSets = ["0-4a-m", "13579b-hp-t", "2-6aeiouy", "a-z"];

/**
 * Gets a list whole. containerd sends no message above 16 MiB; a list that is larger comes in parts, each by filters,
 * and is then ordered by its field. Where in names the characters stand that tell parts apart does not matter, so that
 * numbered names and those with equal ends are spread as well as any. An item is in exactly one part, whatever of it
 * changes meanwhile.
 *
 * @throws {ContainerdError} `resource_exhausted` when a part is too large still: a list of gigabytes, or odd names.
 */
export async function wholeList<Item, Field extends keyof Item & string>(
  { filters, field, list }: OneMessageList<Item, Field>,
): Promise<Item[]> {
  let isWhole = true;
  const listFrom = async (filters: readonly string[], sets: readonly string[]): Promise<Item[]> => {
    try {
      return await list([...filters]);
    } catch (error) {
      const [set, ...others] = sets;
      if (set === undefined || !isTooLarge(error)) throw error;
      isWhole = false;
      const work = (condition: string) => listFrom(both(filters, condition), others);
      const parts = conditions(field, { set, count: partsFor(error) });
      return (await Array.fromAsync(mapConcurrent(parts, work, { limit: partsAtOnce }))).flat();
    }
  };
  const items = await listFrom(filters, allSets);
  return isWhole ? items : items.sort((a, b) => (a[field] < b[field] ? -1 : 1));
}

/** The end of a call whose answer would be too large. */
export function isTooLarge(error: unknown): error is ContainerdError {
  return error instanceof ContainerdError && error.code === "resource_exhausted";
}

/** Each further part costs a look at all items, so there are only as many as the size demands, if it is told. */
function partsFor({ reason }: ContainerdError): number {
  const [, size, limit] = /\((\d+) vs\.? (\d+)\)/.exec(reason) ?? [];
  const needed = size === undefined ? maxParts : Math.ceil(1.25 * Number(size) / Number(limit));
  return Math.min(Math.max(needed, 2), maxParts);
}

/** What is left of each filter under a further condition. */
function both(filters: readonly string[], condition: string): string[] {
  if (filters.length === 0) return [condition];
  return filters.map((filter) => (filter === "" ? condition : `${filter},${condition}`));
}

/** Conditions of which every item meets exactly one. Whatever comes next in a name, one way is open to the matcher. */
function conditions(field: string, { set, count }: { set: string; count: number }): string[] {
  const one = `(?:[${set}][^${set}]*)`;
  return Array.from({ length: count }, (_, rest) => {
    const pattern = `^[^${set}]*${one}{${rest}}(?:${one}{${count}})*$`;
    return `${field}~=${JSON.stringify(pattern)}`;
  });
}
