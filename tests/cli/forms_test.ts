/** Every verb that reads, in every form of output. */
import { assert, assertEquals } from "@std/assert";
import { parse as parseCsv } from "@std/csv";
import { parse as parseYaml } from "yaml";
import { run } from "../../cli/app.ts";
import { type Form, globals } from "../../cli/globals.ts";
import { findCommand } from "../../cli/lookup.ts";
import { escapeControls } from "../../cli/escape.ts";
import type { Verb } from "../../cli/verb.ts";
import type { Containerd } from "../real/containerd.ts";
import type { Output } from "../real/process.ts";
import { realTest } from "../real/test.ts";
import { CapturedIo } from "./captured_io.ts";
import { furnish, oddName, type Reading, readings, stored } from "./furnished.ts";

const forms = globals.output.choices;

realTest("every verb that reads has every form of output", async (t, containerd) => {
  const folder = await Deno.makeTempDir({ prefix: "davit-forms-" });
  try {
    const furnished = await furnish(containerd, folder);
    for (const reading of readings(furnished)) {
      await t.step(reading.verb, () => checkForms(containerd, reading));
    }
    await t.step("images list prints names that would act on a terminal in one line each", async () => {
      const names = await shown(containerd, ["-n", stored, "images", "list"], "name");
      const expected = ["example.com/app:1", escapeControls(oddName), "example.com/sparse:1"];
      assertEquals(linesOf(names.stdout), expected);
    });
    await t.step("-A puts the namespace first in tables and CSV, and into every object", async () => {
      for (const verb of ["images list", "images check", "snapshots tree", "content list", "tasks list"]) {
        await checkForms(containerd, { verb, argv: ["-A", ...verb.split(" ")] });
        const { stdout } = await shown(containerd, ["-A", ...verb.split(" ")], "jsonl");
        for (const line of linesOf(stdout)) assertEquals(Object.keys(JSON.parse(line))[0], "namespace");
      }
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}, { series: ["2"], fresh: true });

async function checkForms(containerd: Containerd, { verb: words, argv, exit = 0 }: Reading): Promise<void> {
  const verb = await verbOf(words);
  const outputs = {} as Record<Form, Output>;
  for (const form of forms) {
    const output = await shown(containerd, argv, form);
    outputs[form] = output;
    const told = `${words} -o ${form}\n${output.stderr}`;
    assertEquals(output.code, exit, told);
    assert(!["\x1b", "\x9b"].some((control) => (output.stdout + output.stderr).includes(control)), told);
    assert(output.stdout === "" || output.stdout.endsWith("\n"), told);
  }
  const json: unknown = JSON.parse(outputs.json.stdout);
  const rows: unknown[] = Array.isArray(json) ? json : [json];
  assertEquals(linesOf(outputs.jsonl.stdout).length, rows.length, `${words}: one line for each row`);
  assertEquals(parseYaml(outputs.yaml.stdout, { version: "1.1" }) !== undefined, true);
  assertEquals(shapeOf(linesOf(outputs.jsonl.stdout).map((line) => JSON.parse(line))), shapeOf(rows));
  assertEquals(shapeOf([parseYaml(outputs.yaml.stdout)].flat()), shapeOf(rows));
  if (verb.columns === undefined) return;
  checkTables(words, { verb, outputs, rows, isAcross: argv[0] === "-A" });
}

function checkTables(
  words: string,
  { verb: { columns = [] }, outputs, rows, isAcross }: {
    verb: Verb;
    outputs: Record<Form, Output>;
    rows: readonly unknown[];
    isAcross: boolean;
  },
): void {
  const first = isAcross ? [{ header: "NAMESPACE", key: "namespace" }] : [];
  const all = [...first, ...columns];
  const [header = [], ...cells] = parseCsv(outputs.csv.stdout);
  assertEquals(header, all.flatMap((column) => "csv" in column && column.csv || [column.key]), words);
  assertEquals(
    [cells.length, new Set(cells.map(({ length }) => length)).size < 2],
    [rows.length, true],
    words,
  );
  for (const [at, row] of rows.entries()) {
    const invented = header.filter((key, column) => cells[at]![column] && !Object.hasOwn(row as object, key));
    assertEquals(invented, [], `${words}: CSV has what JSON has not`);
  }
  for (const form of ["table", "wide"] as const) {
    const [titles = ""] = outputs[form].stdout.split("\n");
    const shown = all.filter((column) => form === "wide" || !("wide" in column && column.wide));
    assertEquals(titles.split(/ {2,}/), shown.map(({ header }) => header), `${words} -o ${form}`);
    const lines = outputs[form].stdout.trimEnd().split("\n");
    assert(lines.every((line) => line === line.trimEnd()), `${words} -o ${form}: a blank at an end`);
  }
  assert(linesOf(outputs.name.stdout).every((name) => name !== ""), words);
}

/** Fields and types, without values that change from call to call. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf);
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, shapeOf(member)]));
}

async function verbOf(words: string): Promise<Verb> {
  const command = findCommand(words.split(" "));
  assert(command.kind === "verb");
  return (await command.load()).default;
}

async function shown({ address }: Containerd, argv: readonly string[], form: Form): Promise<Output> {
  const [output, quiet] = await Promise.all(
    [["-o", form], ["-q"]].map(async (flags) => {
      const io = new CapturedIo();
      const code = await run(["--address", address, ...flags, ...argv], io);
      return { code, stdout: io.stdout, stderr: io.stderr };
    }),
  );
  if (form === "name") assertEquals(quiet, output, `${argv.join(" ")}: -q is -o name`);
  return output!;
}

function linesOf(text: string): string[] {
  return text === "" ? [] : text.trimEnd().split("\n");
}
