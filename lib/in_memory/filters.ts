import { refusal } from "./refusal.ts";

/** The value of a field of an item; `undefined` when it has none. */
export type FieldOf<Item> = (item: Item, path: readonly string[]) => string | undefined;

interface Condition {
  path: string[];
  operator?: "==" | "!=";
  value?: string;
}

/**
 * The items that match any of the filters; all without one. Of containerd's syntax this knows presence, `==` and
 * `!=`, and refuses regular expressions as unimplemented.
 */
export function filtered<Item>(
  items: readonly Item[],
  filters: readonly string[],
  field: FieldOf<Item>,
): Item[] {
  const alternatives = filters.map(parse);
  if (alternatives.length === 0) return [...items];
  return items.filter((item) =>
    alternatives.some((conditions) => conditions.every((condition) => holds(condition, item, field)))
  );
}

/** A field of labels, whose key may have dots. */
export function labelAt(
  labels: Readonly<Record<string, string>>,
  path: readonly string[],
): string | undefined {
  return labels[path.join(".")];
}

function holds<Item>({ path, operator, value }: Condition, item: Item, field: FieldOf<Item>): boolean {
  const found = field(item, path);
  if (operator === undefined) return found !== undefined && found !== "";
  return operator === "==" ? found === value : found !== value;
}

function parse(filter: string): Condition[] {
  const part = String.raw`(?:\w[\w-]*|"(?:[^"\\]|\\.)*")`;
  const condition = new RegExp(
    String
      .raw`(?<field>${part}(?:\.${part})*)(?:(?<operator>[=!~]=)(?<value>"(?:[^"\\]|\\.)*"|[^\s,"]+))?(?:,|$)`,
    "y",
  );
  const conditions: Condition[] = [];
  while (condition.lastIndex < filter.length) {
    const { field, operator, value } = condition.exec(filter)?.groups ?? {};
    if (field === undefined) throw refusal("invalid_argument", `filters: parse error: [${filter}]`);
    const path = Array.from(field.matchAll(new RegExp(part, "g")), ([name]) => unquoted(name, filter));
    if (operator === "~=") throw unsupported(filter);
    conditions.push({
      path,
      ...(value !== undefined && { operator: operator as "==" | "!=", value: unquoted(value, filter) }),
    });
  }
  return conditions;
}

function unquoted(text: string, filter: string): string {
  if (!text.startsWith('"')) return text;
  try {
    return JSON.parse(text);
  } catch {
    throw unsupported(filter); // an escape of Go that JSON does not have
  }
}

function unsupported(filter: string): Error {
  return refusal(
    "unimplemented",
    `filter ${JSON.stringify(filter)} is not supported here, only presence, == and !=`,
  );
}
