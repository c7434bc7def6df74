/** The one renderer: what a verb returned becomes a table, JSON, JSON lines, YAML, CSV or names. */
import { UsageError } from "./errors.ts";
import { escapeControls, escapeControlsOfLines } from "./escape.ts";
import { formatCell, nothing } from "./format.ts";
import type { Form } from "./globals.ts";
import { plain, toJson } from "./json.ts";
import { layOut } from "./table.ts";
import type { Column } from "./verb.ts";

/** How to show what a verb returns. */
export interface Rendering {
  form: Form;
  /** Of the verb; absent when it has none. */
  columns: readonly Column[] | undefined;
  /** Tables and CSV start with the namespace of each row. */
  acrossNamespaces: boolean;
  /** Whether tables and CSV start with a line of headers. */
  headers: boolean;
  /** What ages count from. */
  now: Date;
}

/** What a column finds its values in. */
export type Row = Record<string, unknown>;

/** Takes a piece of the text. */
export type Write = (text: string) => Promise<void>;

/** Writes a result as it comes: a value, an array or an AsyncIterable of values; `undefined` is nothing to show. */
export async function render(result: unknown, rendering: Rendering, write: Write): Promise<void> {
  if (result === undefined) return;
  const many = isIterable(result);
  const rows = many ? result : [result];
  switch (rendering.form) {
    case "json":
      return many ? await writeJsonArray(rows, write) : await write(`${toJson(result, { indent: 2 })}\n`);
    case "jsonl":
      return await writeLines(rows, toJson, write);
    case "yaml":
      return await writeYaml(result, many, write);
    case "csv":
      return await writeCsv(rows, rendering, write);
    case "name":
      return await writeLines(rows, (row) => nameOf(row, rendering), write);
    case "table":
    case "wide":
      return rendering.columns === undefined
        ? await writeLines(rows, textOf, write)
        : await writeTable(rows, rendering, write);
  }
}

type Rows = Iterable<unknown> | AsyncIterable<unknown>;

function isIterable(value: unknown): value is Rows {
  return typeof value === "object" && value !== null &&
    (Symbol.asyncIterator in value || Symbol.iterator in value);
}

/** An array that breaks off stays open, so that nobody takes it for the whole. */
async function writeJsonArray(rows: Rows, write: Write): Promise<void> {
  let before = "[\n";
  for await (const row of rows) {
    await write(`${before}${indented(toJson(row, { indent: 2 }))}`);
    before = ",\n";
  }
  await write(before === "[\n" ? "[]\n" : "\n]\n");
}

function indented(text: string): string {
  return text.replace(/^/gm, "  ");
}

async function writeLines(rows: Rows, line: (row: unknown) => string, write: Write): Promise<void> {
  for await (const row of rows) await write(`${line(row)}\n`);
}

async function writeYaml(result: unknown, many: boolean, write: Write): Promise<void> {
  const { stringify } = await import("@std/yaml");
  const options = { lineWidth: -1 };
  if (!many) return await write(stringify(plain(result), options));
  let empty = true;
  for await (const row of result as Rows) {
    await write(stringify([plain(row)], options));
    empty = false;
  }
  if (empty) await write("[]\n");
}

async function writeCsv(rows: Rows, rendering: Rendering, write: Write): Promise<void> {
  const { headers, now } = rendering;
  if (rendering.columns === undefined) throw new UsageError("Cannot write CSV: this verb has no table");
  const { stringify } = await import("@std/csv");
  const keys = columnsOf(rendering).map(({ key }) => key);
  if (headers) await write(stringify([], { columns: keys }));
  for await (const row of rows) {
    const cells = keys.map((key) => [key, formatCell((row as Row)[key], "text", now)]);
    await write(stringify([Object.fromEntries(cells)], { columns: keys, headers: false }));
  }
}

async function writeTable(rows: Rows, rendering: Rendering, write: Write): Promise<void> {
  const { form, headers, now } = rendering;
  const columns = columnsOf(rendering).filter(({ wide }) => !wide || form === "wide");
  const lines = headers ? [columns.map(({ header }) => header)] : [];
  try {
    for await (const row of rows) {
      lines.push(columns.map(({ key, as }) => formatCell((row as Row)[key], as, now) || nothing));
    }
  } catch (error) {
    // What was done before is told; the headers alone would say that there is nothing.
    if (lines.length > (headers ? 1 : 0)) await write(layOut(lines));
    throw error;
  }
  await write(layOut(lines));
}

function columnsOf({ columns = [], acrossNamespaces }: Rendering): readonly Column[] {
  return acrossNamespaces ? [{ header: "NAMESPACE", key: "namespace" }, ...columns] : columns;
}

function nameOf(row: unknown, { columns }: Rendering): string {
  const key = columns?.[0]?.key;
  if (key === undefined) return textOf(row);
  return escapeControls(String((row as Row)[key]));
}

function textOf(value: unknown): string {
  return typeof value === "string" ? escapeControlsOfLines(value) : toJson(value, { indent: 2 });
}
