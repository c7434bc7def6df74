import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { DeadlineExceededError } from "../../../lib/errors.ts";
import { Deadline } from "../../../lib/transport/deadline.ts";
import { Images } from "../../../lib/transport/methods.ts";
import type { Call } from "../../../lib/transport/transport.ts";

const closing = new AbortController().signal;

function deadline(call: Partial<Call>): Deadline {
  return new Deadline(Images.get, { namespace: "n", action: "get", ...call }, { closing });
}

Deno.test("Deadline aborts with the error to reject with when the time is up", async () => {
  using ending = deadline({ timeoutMs: 30 });
  const began = performance.now();
  const reason = await aborted(ending);
  assert(performance.now() - began >= 29);
  assertInstanceOf(reason, DeadlineExceededError);
  assertEquals(reason.message, 'Cannot get in namespace "n": no answer within 30 ms');
});

Deno.test("Deadline takes the method's time when the call has none of its own", async () => {
  const quick = { ...Images.get, deadlineMs: 20 };
  using ending = new Deadline(quick, { namespace: "n", action: "get" }, { closing });
  assertInstanceOf(await aborted(ending), DeadlineExceededError);
});

Deno.test("Deadline lets a time that no timer can hold be for ever", async () => {
  for (const timeoutMs of [2 ** 31, 2 ** 40, Infinity]) {
    using ending = deadline({ timeoutMs });
    await wait(20);
    assertEquals(ending.signal.aborted, false, `${timeoutMs}`);
  }
});

Deno.test("Deadline aborts with the caller's reason, and with that of closing", async () => {
  const reason = new Error("enough");
  const caller = new AbortController();
  using ending = deadline({ signal: caller.signal });
  caller.abort(reason);
  assertEquals(await aborted(ending), reason);

  using late = deadline({ signal: AbortSignal.abort(reason) });
  assertEquals(late.signal.reason, reason);

  const closing = new AbortController();
  using closed = new Deadline(Images.get, { namespace: "n", action: "get" }, { closing: closing.signal });
  closing.abort(reason);
  assertEquals(await aborted(closed), reason);
});

Deno.test("Deadline starts anew with restart() and stands still after pause()", async () => {
  using ending = deadline({ timeoutMs: 60 });
  for (let round = 0; round < 4; round++) {
    await wait(30);
    ending.restart();
  }
  assertEquals(ending.signal.aborted, false);
  ending.pause();
  await wait(90);
  assertEquals(ending.signal.aborted, false);
  ending.restart();
  assertInstanceOf(await aborted(ending), DeadlineExceededError);
});

Deno.test("Deadline hears nothing any more once it is disposed", async () => {
  const caller = new AbortController();
  const ending = deadline({ signal: caller.signal, timeoutMs: 10 });
  ending[Symbol.dispose]();
  caller.abort();
  await wait(30);
  assertEquals(ending.signal.aborted, false);
});

async function aborted({ signal }: Deadline): Promise<unknown> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
  return signal.reason;
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
