import { assertEquals, assertRejects } from "@std/assert";
import { Ending } from "../../cli/ending.ts";
import { CliError } from "../../cli/errors.ts";

Deno.test("Ending passes a signal from outside on, also one that has come before", () => {
  const controller = new AbortController();
  using ending = new Ending({ signal: controller.signal });
  assertEquals(ending.signal.aborted, false);
  controller.abort("stop");
  assertEquals(ending.signal.reason, "stop");
  using late = new Ending({ signal: controller.signal });
  assertEquals(late.signal.reason, "stop");
});

Deno.test("Ending aborts when the time is up", async () => {
  using ending = new Ending({ timeoutMs: 5 });
  await new Promise((resolve) => ending.signal.addEventListener("abort", resolve));
  const { code, message } = ending.signal.reason as CliError;
  assertEquals([code, message], ["deadline_exceeded", "Cannot finish within 5ms"]);
});

Deno.test("Ending takes 0 for no limit, and a limit that no timer can hold", async () => {
  using endless = new Ending({ timeoutMs: 0 });
  using long = new Ending({ timeoutMs: 2 ** 40 });
  await new Promise((resolve) => setTimeout(resolve, 10));
  assertEquals([endless.signal.aborted, long.signal.aborted], [false, false]);
});

Deno.test("Ending.bound() waits for the cleaning up, but not for ever", async () => {
  using patient = new Ending({ timeoutMs: 1 });
  const cleaning = new Promise<string>((resolve) => setTimeout(resolve, 20, "cleaned"));
  assertEquals(await patient.bound(cleaning), "cleaned");
  using impatient = new Ending({ timeoutMs: 1, graceMs: 5 });
  await assertRejects(() => impatient.bound(new Promise(() => {})), CliError, "Cannot finish within 1ms");
});
