import { assertEquals, assertMatch } from "@std/assert";
import { failureOf, UsageError } from "../../cli/errors.ts";
import { type LogSettings, StderrLog } from "../../cli/log.ts";
import { CapturedIo } from "./captured_io.ts";

function logged(
  settings: LogSettings,
  use: (log: StderrLog) => void,
  io: CapturedIo = new CapturedIo(),
): string {
  use(new StderrLog(io, settings));
  return io.stderr;
}

function everything(log: StderrLog): void {
  log.info("one\x1b[2J");
  log.warn("two\nlines");
  log.debug("three", { ms: 1 });
  log.error(failureOf(new UsageError("four", "five")));
}

Deno.test("StderrLog writes a line of text for each message, control characters escaped", () => {
  assertEquals(
    logged({ format: "text" }, everything),
    "one\\x1b[2J\nwarning: two\\nlines\ndavit: four\nhint: five\n",
  );
  assertEquals(logged({ format: "text", debug: true }, (log) => log.debug("three")), "debug: three\n");
});

Deno.test("StderrLog writes a JSON object for each message", () => {
  const io = new CapturedIo();
  logged({ format: "json", debug: true }, everything, io);
  assertEquals(io.records, [
    { level: "info", message: "one\x1b[2J" },
    { level: "warn", message: "two\nlines" },
    { level: "debug", message: "three", ms: 1 },
    { level: "error", code: "usage", message: "four", hint: "five", exit: 2 },
  ]);
  assertEquals(
    logged({ format: "json" }, (log) => log.info("\x9b\u202e")),
    '{"level":"info","message":"\\u009b\\u202e"}\n',
  );
});

Deno.test("StderrLog colours what is wrong on a terminal that wants colours, and nothing else", () => {
  const colour = new CapturedIo({ terminal: { columns: 80, colour: true, showsOutput: true } });
  assertEquals(
    logged({ format: "text" }, everything, colour),
    "one\\x1b[2J\n\x1b[33mwarning:\x1b[0m two\\nlines\n\x1b[31mdavit:\x1b[0m four\nhint: five\n",
  );
  const plain = new CapturedIo({ terminal: { columns: 80, colour: false, showsOutput: true } });
  assertEquals(logged({ format: "text" }, everything, plain).includes("\x1b"), false);
});

Deno.test("StderrLog shows where an error and its cause come from with debug", () => {
  const error = new Error("outer", { cause: new TypeError("inner\x1b") });
  const text = logged({ format: "text", debug: true }, (log) => log.error(failureOf(error), error));
  assertMatch(
    text,
    /^davit: outer\nhint: .*\nError: outer\n +at .*log_test.ts[^]*\nCaused by TypeError: inner\\x1b\n +at /,
  );
  assertEquals(logged({ format: "text" }, (log) => log.error(failureOf(error), error)).split("\n").length, 3);
});
