/** The one renderer: what a verb returned becomes a table, JSON, JSON lines, YAML, CSV or names. */
import { escapeControls, escapeControlsOfLines } from "./escape.ts";
import { formatCell, nothing } from "./format.ts";
import type { Form } from "./globals.ts";
import { plain, toJson } from "./json.ts";
import { laidOut, layOut } from "./table.ts";
import { isIterable } from "./tally.ts";
import type { Column } from "./verb.ts";

/** How to show what a verb returns. */
export interface Rendering {
  form: Form;
  /** Of the verb. Default: the fields of the first row, unless it is a text. */
  columns: readonly Column[] | undefined;
  /** Tables and CSV start with the namespace of each row. */
  acrossNamespaces: boolean;
  /** Whether tables and CSV start with a line of headers. */
  headers: boolean;
  /** Rows of a table are not kept until all are there to be laid out. */
  endless?: boolean;
  /** Whether some of what was asked for has no row because it failed. */
  hasFailures?: () => boolean;
  /** What ages count from. */
  now: Date;
}

/** Takes a piece of the text. */
export type Write = (text: string) => Promise<void>;

/** Writes a result as it comes: a value, an array or an AsyncIterable of values; `undefined` is nothing to show. */
export async function render(result: unknown, rendering: Rendering, write: Write): Promise<void> {
  if (result === undefined) return;
  if (isIterable(result)) return await writeRows(result, rendering, write);
  const { form, columns } = rendering;
  if (form === "json") return await write(`${toJson(result, { indent: 2 })}\n`);
  if (form === "yaml") return await write(await yaml(result));
  const isTable = form === "table" || form === "wide";
  if (isTable && columns === undefined) return await write(`${textOf(result)}\n`);
  await writeRows([result], rendering, write);
}

type Rows = Iterable<unknown> | AsyncIterable<unknown>;

async function writeRows(rows: Rows, rendering: Rendering, write: Write): Promise<void> {
  switch (rendering.form) {
    case "json":
      return await writeJsonArray(rows, write);
    case "jsonl":
      return await writeLines(rows, toJson, write);
    case "yaml":
      return await writeYamlArray(rows, write);
  }
  const [first, all] = await peek(rows);
  const columns = rendering.columns ?? columnsFor(first);
  if (columns === undefined) return await writeLines(all, textOf, write);
  switch (rendering.form) {
    case "name":
      return await writeLines(all, (row) => nameOf(field(row, columns[0]!.key)), write);
    case "csv":
      return await writeCsv(all, { ...rendering, columns }, write);
    case "table":
    case "wide":
      return await writeTable(all, { ...rendering, columns }, write);
  }
}

/** An array that breaks off stays open, so that nobody takes it for the whole. */
async function writeJsonArray(rows: Rows, write: Write): Promise<void> {
  let before = "[\n";
  for await (const row of rows) {
    await write(`${before}${toJson(row, { indent: 2 }).replace(/^/gm, "  ")}`);
    before = ",\n";
  }
  await write(before === "[\n" ? "[]\n" : "\n]\n");
}

async function writeLines(rows: Rows, line: (row: unknown) => string, write: Write): Promise<void> {
  for await (const row of rows) await write(`${line(row)}\n`);
}

async function writeYamlArray(rows: Rows, write: Write): Promise<void> {
  let isEmpty = true;
  for await (const row of rows) {
    await write(await yaml([row]));
    isEmpty = false;
  }
  if (isEmpty) await write("[]\n");
}

async function yaml(value: unknown): Promise<string> {
  const { yamlOf } = await import("./yaml.ts");
  return yamlOf(plain(value));
}

type Table = Rendering & { columns: readonly Column[] };

async function writeCsv(rows: Rows, table: Table, write: Write): Promise<void> {
  const { stringify } = await import("@std/csv");
  const keys = columnsOf(table).flatMap(({ key, csv = [key] }) => csv);
  if (table.headers) await write(stringify([], { columns: keys }));
  for await (const row of rows) {
    const cells = keys.map((key) => [key, formatCell(field(row, key), "text", table.now)]);
    await write(stringify([Object.fromEntries(cells)], { columns: keys, headers: false }));
  }
}

async function writeTable(rows: Rows, table: Table, write: Write): Promise<void> {
  const columns = columnsOf(table).filter(({ wide }) => !wide || table.form === "wide");
  const lines = table.headers ? [columns.map(({ header }) => header)] : [];
  const cells = (row: unknown) =>
    columns.map(({ key, as }) => formatCell(field(row, key), as, table.now) || nothing);
  if (table.endless) {
    await write(layOut(lines));
    return await writeLines(rows, (row) => cells(row).join("  "), write);
  }
  let isWhole = false;
  try {
    for await (const row of rows) lines.push(cells(row));
    isWhole = table.hasFailures?.() !== true;
  } finally {
    // What was done before a failure is told; the headers alone would say that there is nothing.
    if (isWhole || lines.length > (table.headers ? 1 : 0)) {
      for (const line of laidOut(lines)) await write(line);
    }
  }
}

function columnsOf({ columns, acrossNamespaces }: Table): readonly Column[] {
  const isMissing = acrossNamespaces && !columns.some(({ key }) => key === "namespace");
  return isMissing ? [{ header: "NAMESPACE", key: "namespace" }, ...columns] : columns;
}

/** `createdAt` has the header `CREATED AT`. */
function columnsFor(row: unknown): readonly Column[] | undefined {
  if (typeof row !== "object" || row === null) return undefined;
  const keys = Object.keys(row);
  if (keys.length === 0) return undefined;
  return keys.map((key) => ({ header: key.replace(/(?=[A-Z])/g, " ").toUpperCase(), key }));
}

function field(row: unknown, key: string): unknown {
  return (row as Readonly<Record<string, unknown>> | null | undefined)?.[key];
}

function nameOf(value: unknown): string {
  const flat = plain(value);
  return escapeControls(typeof flat === "object" && flat !== null ? toJson(flat) : String(flat));
}

/** A value alone on its line, or lines. */
function textOf(value: unknown): string {
  return typeof value === "string" ? escapeControlsOfLines(value) : toJson(value, { indent: 2 });
}

/** The first row, and all of them. */
async function peek(rows: Rows): Promise<[unknown, AsyncIterable<unknown>]> {
  const source = Symbol.asyncIterator in rows ? rows[Symbol.asyncIterator]() : rows[Symbol.iterator]();
  const first = await source.next();
  async function* all(): AsyncIterable<unknown> {
    try {
      for (let { value, done } = first; !done; { value, done } = await source.next()) yield value;
    } finally {
      await source.return?.();
    }
  }
  return [first.value, all()];
}
