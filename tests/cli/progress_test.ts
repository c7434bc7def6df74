import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { ProgressDisplay, type ProgressForm } from "../../cli/progress.ts";
import type { ItemProgress, ItemState } from "../../mod.ts";
import { CapturedIo } from "./captured_io.ts";

function shown(
  form: ProgressForm,
  use: (display: ProgressDisplay) => void,
  { columns = 80, showsOutput = true } = {},
): string {
  const io = new CapturedIo({ terminal: { columns, colour: false, showsOutput } });
  const display = new ProgressDisplay(io, form);
  use(display);
  display.end();
  return io.stderr;
}

/** A hundred states in no time. */
function burst(display: ProgressDisplay): void {
  for (let done = 1; done <= 100; done++) display.show({ task: "copying", done, total: 100 });
}

function item(state: ItemState, done?: number): ItemProgress {
  return { image: "a", name: "layer 1", state, ...(done !== undefined && { done }), total: 2048 };
}

const [up, down] = ["\r\x1b[1A", "\x1b[K\n\x1b[J"];
const gone = `${up}\x1b[J`;

Deno.test("ProgressDisplay rewrites one line on a terminal, and takes it away", () => {
  const text = shown("tty", (display) => {
    display.show({ task: "copying", done: 1, total: 2 });
    display.aside("note\n");
    display.end();
    display.end();
  });
  assertEquals(text, `copying: 1 of 2${down}${gone}note\ncopying: 1 of 2${down}${gone}`);
});

Deno.test("ProgressDisplay makes way for output that goes to the same terminal", () => {
  function use(display: ProgressDisplay): void {
    display.show({ task: "copying", done: 1, total: 2 });
    display.makeWay();
    display.show({ task: "copying", done: 2, total: 2 });
  }
  const [first, second] = [`copying: 1 of 2${down}`, `copying: 2 of 2${down}`];
  assertEquals(shown("tty", use), first + gone + second + gone);
  assertEquals(shown("tty", use, { showsOutput: false }), first + up + second + gone);
});

Deno.test("ProgressDisplay leaves a tree in which all is over above the output, and one that broke off nowhere", () => {
  const use = (state: ItemState) => (display: ProgressDisplay) => {
    display.show({ task: "importing", done: 0, unit: "bytes", items: [item(state, 1024)] });
    display.makeWay();
    display.makeWay();
  };
  const done = shown("tty", use("done"));
  assert(!done.includes(gone) && done.endsWith(down), done);
  assertStringIncludes(done, "\x1b[3Aa:\x1b[K\n  layer 1  done");
  assert(shown("tty", use("writing")).endsWith("\x1b[3A\x1b[J"));
});

Deno.test("ProgressDisplay keeps to one line and to its own control characters", () => {
  const text = shown("tty", (display) => display.show({ task: "a\x1b[2Jbcdefghijkl", done: 1 }), {
    columns: 10,
  });
  assertEquals(text, `a\\x1b[2Jb${down}${gone}`);
});

Deno.test("ProgressDisplay takes account of the lines that a narrower terminal has broken", () => {
  const terminal = { columns: 40, rows: 10, colour: false, showsOutput: true };
  const io = new CapturedIo({ terminal });
  const display = new ProgressDisplay(io, "tty");
  display.show({ task: "x".repeat(100), done: 1, total: 2 });
  terminal.columns = 16; // 39 characters
  display.end();
  assert(io.stderr.endsWith("\x1b[3A\x1b[J"), io.stderr);
});

Deno.test("ProgressDisplay shows the first and the last of many states", () => {
  assertEquals(shown("plain", burst), "copying: 1 of 100\ncopying: 100 of 100\n");
  assertEquals(
    shown("json", burst),
    '{"level":"progress","task":"copying","done":1,"total":100}\n' +
      '{"level":"progress","task":"copying","done":100,"total":100}\n',
  );
  assertEquals(shown("plain", (display) => display.show({ task: "reading", done: 5 })), "reading: 5\n");
});

Deno.test("ProgressDisplay shows bytes as sizes, and counts items where it does not draw them", () => {
  const use = (display: ProgressDisplay) => {
    const work = { task: "importing", unit: "bytes" as const, total: 2048 };
    const other = { image: "b", name: "layer 2\x9b", state: "exists" as const };
    display.show({ ...work, done: 0, items: [item("waiting"), other] });
    display.show({ ...work, done: 1024, items: [item("writing", 1024)] });
    display.show({ ...work, done: 2048, items: [item("done", 2048)] });
  };
  assertEquals(
    shown("plain", use),
    "importing: 0 B of 2.0 KiB, 1 of 2 items\nimporting: 2.0 KiB of 2.0 KiB, 2 of 2 items\n",
  );
  const first = { image: "a", name: "layer 1", state: "waiting", total: 2048 };
  const events = shown("json", use).trimEnd().split("\n");
  assert(events[0]!.includes("layer 2\\u009b"));
  assertEquals(events.map((line) => JSON.parse(line).items), [
    [first, { image: "b", name: "layer 2\x9b", state: "exists" }],
    [{ ...first, state: "done", done: 2048 }],
  ]);
});

Deno.test("ProgressDisplay draws no more than ten times a second, and the last state in the end", async () => {
  const io = new CapturedIo({ terminal: { columns: 80, rows: 24, colour: false, showsOutput: false } });
  const display = new ProgressDisplay(io, "tty");
  const drawings = () => io.stderr.split("elapsed:").length - 1;
  const start = performance.now();
  for (let done = 0; performance.now() - start < 350; done++) {
    display.show({ task: "pulling", done, unit: "bytes", items: [item("downloading", done)] });
    await new Promise((resolve) => setTimeout(resolve));
  }
  assert(drawings() >= 2 && drawings() <= 1 + (performance.now() - start) / 100, String(drawings()));
  const before = drawings();
  display.show({ task: "pulling", done: 2000, unit: "bytes", items: [item("downloading", 2000)] });
  while (drawings() === before) await new Promise((resolve) => setTimeout(resolve, 10));
  assertMatch(io.stderr.slice(io.stderr.lastIndexOf("layer 1")), /2\.0 KiB\/2\.0 KiB/);
  display.end();
});

Deno.test("ProgressDisplay shows nothing with none", () => {
  assertEquals(
    shown("none", (display) => (burst(display), display.aside("note\n"), display.end())),
    "note\n",
  );
});
