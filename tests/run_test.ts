import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { run } from "./real/process.ts";

/** What the last lines and the exit code are when `deno task test` runs a module with the given source. */
async function runTests(source: string, ...args: string[]): Promise<{ code: number; lines: string[] }> {
  const folder = await Deno.makeTempDir();
  try {
    const module = `${folder}/sample_test.ts`;
    await Deno.writeTextFile(module, source);
    const runner = fromFileUrl(import.meta.resolve("./run.ts"));
    const { code, stdout } = await run(
      Deno.execPath(),
      ["run", "-A", runner, "--no-check", module, ...args],
      {
        check: false,
      },
    );
    return { code, lines: stdout.trimEnd().split("\n") };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("run.ts ends with the counts of tests, steps not among them, and the names of the skipped", async () => {
  const { code, lines } = await runTests(`
    Deno.test("good", async (t) => {
      await t.step("step", () => {});
      await t.step("step > with > arrows", async (t) => { await t.step("inner", () => {}); });
    });
    Deno.test("an > arrow", () => {});
    Deno.test("bad & <ugly>", async (t) => {
      await t.step("fails", () => { throw new Error("no"); });
    });
    Deno.test.ignore('left "out" & forgotten', () => {});`);
  assertEquals(lines.slice(-2), ['Skipped: left "out" & forgotten', "2 passed, 1 failed, 1 skipped"]);
  assertEquals(code, 1);
});

Deno.test("run.ts ends well if all tests pass", async () => {
  const { code, lines } = await runTests(`Deno.test("good", () => {});`);
  assertEquals(lines.at(-1), "1 passed, 0 failed");
  assertEquals(code, 0);
});

Deno.test("run.ts counts a module that does not load as failed", async () => {
  const { code, lines } = await runTests(`throw new Error("broken");`);
  assertEquals(lines.at(-1), "0 passed, 1 failed");
  assertEquals(code, 1);
});

Deno.test("run.ts fails if no test ran", async () => {
  const { code, lines } = await runTests(`Deno.test("good", () => {});`, "--filter", "something else");
  assertEquals(lines.slice(-2), ["No test ran", "0 passed, 0 failed"]);
  assertEquals(code, 1);
});

Deno.test("run.ts fails tests that leave a file open or a timer running", async () => {
  const { lines } = await runTests(`
    Deno.test("file", () => { Deno.openSync("/dev/null"); });
    Deno.test("timer", () => { setTimeout(() => {}, 10_000); });`);
  assertEquals(lines.at(-1), "0 passed, 2 failed");
});

Deno.test("run.ts --full tells the tests that they are the full suite", async () => {
  const source =
    `Deno.test("full", () => { if (Deno.env.get("DAVIT_TEST_FULL") !== "1") throw new Error("no"); });`;
  const full = await runTests(source, "--full");
  assertEquals(full.lines.at(-1), "1 passed, 0 failed");
});
