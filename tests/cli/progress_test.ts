import { assertEquals } from "@std/assert";
import { ProgressDisplay, type ProgressForm } from "../../cli/progress.ts";
import { CapturedIo } from "./captured_io.ts";

function shown(
  form: ProgressForm,
  use: (display: ProgressDisplay) => void,
  { columns = 80, showsOutput = true } = {},
): string {
  const io = new CapturedIo({ terminal: { columns, colour: true, showsOutput } });
  use(new ProgressDisplay(io, form));
  return io.stderr;
}

/** A hundred states in no time. */
function burst(display: ProgressDisplay): void {
  for (let done = 1; done <= 100; done++) display.show({ task: "copying", done, total: 100 });
}

Deno.test("ProgressDisplay rewrites one line on a terminal, and takes it away", () => {
  const text = shown("tty", (display) => {
    display.show({ task: "copying", done: 1, total: 2 });
    display.aside("note\n");
    display.end();
    display.end();
  });
  assertEquals(text, "\r\x1b[Kcopying: 1 of 2" + "\r\x1b[Knote\n" + "\r\x1b[Kcopying: 1 of 2" + "\r\x1b[K");
});

Deno.test("ProgressDisplay makes way for output that goes to the same terminal", () => {
  function use(display: ProgressDisplay): void {
    display.show({ task: "copying", done: 1, total: 2 });
    display.makeWay();
    display.show({ task: "copying", done: 2, total: 2 });
  }
  const [first, second] = ["\r\x1b[Kcopying: 1 of 2", "\r\x1b[Kcopying: 2 of 2"];
  assertEquals(shown("tty", use), first + "\r\x1b[K" + second);
  assertEquals(shown("tty", use, { showsOutput: false }), first + second);
});

Deno.test("ProgressDisplay keeps to one line and to its own control characters", () => {
  const text = shown("tty", (display) => display.show({ task: "a\x1b[2Jbcdefghijkl", done: 1 }), {
    columns: 10,
  });
  assertEquals(text, "\r\x1b[Ka\\x1b[2Jb");
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

Deno.test("ProgressDisplay shows nothing with none", () => {
  assertEquals(
    shown("none", (display) => (burst(display), display.aside("note\n"), display.end())),
    "note\n",
  );
});
