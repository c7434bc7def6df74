/** The tables of docs/output.md, against the golden files and the list of verbs. */
import { assert, assertEquals } from "@std/assert";
import { nouns, verbs } from "../../cli/verbs.ts";

interface Field {
  type: string;
  optional: boolean;
}

type Fields = ReadonlyMap<string, Field>;

interface Section {
  /** The first word below the heading: `Rows`, `One`, `Texts`, `A`, `Nothing`, `Bytes`, `What`. */
  form: string;
  fields: Fields;
}

const page = await Deno.readTextFile(new URL("../../docs/output.md", import.meta.url));
const sections = new Map<string, Section>(
  page.split(/^### /m).slice(1).flatMap((text) => {
    const [heading = "", ...lines] = text.split("\n");
    const form = /^\w+/.exec(lines.find((line) => line !== "") ?? "")?.[0] ?? "";
    return heading.split(", ").map((name): [string, Section] => [name, { form, fields: fieldsOf(lines) }]);
  }),
);

function fieldsOf(lines: readonly string[]): Fields {
  const rows = lines.map((line) => /^\| `([\w.]+)(\??)` +\| ([\w ]+?) +\|/.exec(line)).filter((row) =>
    row !== null
  );
  return new Map(rows.map(([, name = "", mark, type = ""]) => [name, { type, optional: mark === "?" }]));
}

Deno.test("docs/output.md has a section for every verb, and no others", () => {
  const listed = [
    ...nouns.flatMap((noun) => noun.verbs.map(({ name }) => `${noun.name} ${name}`)),
    ...verbs.map(({ name }) => name),
  ];
  const described = [...sections.keys()].filter((name) => !name.startsWith("Shape: "));
  const advice = "Describe what it prints under a heading of its own, or of a verb that prints the same";
  assertEquals(described.sort(), listed.sort(), advice);
});

Deno.test("docs/output.md has the fields of the columns of every verb", async () => {
  const entries = [
    ...nouns.flatMap((noun) => noun.verbs.map(({ name, load }) => [`${noun.name} ${name}`, load] as const)),
    ...verbs.map(({ name, load }) => [name, load] as const),
  ];
  for (const [name, load] of entries) {
    const columns = (await load?.())?.default.columns ?? [];
    const shown = columns.flatMap(({ key, csv = [key] }) => csv);
    const { fields } = sections.get(name) ?? {};
    assertEquals(shown.filter((key) => fields?.has(key) === false), [], name);
  }
});

const folder = new URL("golden/", import.meta.url);
for (const { name } of Deno.readDirSync(folder)) {
  const golden: Record<string, unknown> = JSON.parse(Deno.readTextFileSync(new URL(name, folder)));
  for (const [verb, value] of Object.entries(golden)) {
    Deno.test(`docs/output.md describes what ${verb} prints`, () => {
      const section = sections.get(verb);
      assert(section, `docs/output.md has no section ${verb}`);
      check(value, section, verb);
    });
  }
}

function check(value: unknown, { form, fields }: Section, at: string): void {
  switch (form) {
    case "Rows":
      assert(Array.isArray(value), at);
      return value.forEach((row, index) => checkObject(row, fields, `${at}[${index}]`));
    case "One":
      return fields.size > 0 ? checkObject(value, fields, at) : assert(isObject(value), at);
    case "Texts":
      return checkType(value, "texts", at);
    case "A":
      return checkType(value, "text", at);
    case "Nothing":
      return assertEquals(value, "nothing");
    default:
      throw new Error(`${at}: docs/output.md begins with "${form}"`);
  }
}

function checkObject(value: unknown, fields: Fields, at: string): void {
  assert(isObject(value), at);
  const flat = Object.fromEntries(
    Object.entries(value).flatMap(([key, member]) => {
      const isParent = [...fields.keys()].some((name) => name.startsWith(`${key}.`));
      return isParent
        ? Object.entries(member as object).map(([name, inner]) => [`${key}.${name}`, inner])
        : [[key, member]];
    }),
  );
  for (const [name, member] of Object.entries(flat)) {
    const field = fields.get(name);
    assert(field, `${at}: docs/output.md does not know ${name}`);
    checkType(member, field.type, `${at}.${name}`);
  }
  for (const [name, { optional }] of fields) {
    assert(optional || name in flat, `${at}: docs/output.md promises ${name}`);
  }
}

/** In golden files, what changes stands as `<time>` or `<number>`. */
function checkType(value: unknown, type: string, at: string): void {
  const is = (passes: boolean) => assert(passes, `${at}: ${JSON.stringify(value)} is no ${type}`);
  switch (type) {
    case "value":
      return;
    case "text":
      return is(typeof value === "string");
    case "number":
    case "size":
      return is(typeof value === "number" || value === "<number>");
    case "time":
      return is(value === "<time>");
    case "boolean":
      return is(typeof value === "boolean");
    case "texts":
      return is(
        Array.isArray(value) && value.every((item) => typeof item === "string") || value === "<snapshotters>",
      );
    case "labels":
      return is(isObject(value) && Object.values(value).every((label) => typeof label === "string"));
    case "object":
      return is(isObject(value) || value === "<spec>");
  }
  const one = sections.get(`Shape: ${type}`);
  if (one) return checkObject(value, one.fields, at);
  const several = sections.get(`Shape: ${type.replace(/s$/, "")}`);
  assert(several && Array.isArray(value), `${at}: docs/output.md has no shape ${type}`);
  value.forEach((item, index) => checkObject(item, several.fields, `${at}[${index}]`));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
