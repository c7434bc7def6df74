import { assert, assertEquals, assertRejects } from "@std/assert";
import { containerdError, DeadlineExceededError, type ErrorCode, type Outcome } from "../../lib/errors.ts";
import { RegistryError } from "../../lib/registry/failure.ts";
import { isTemporary, retry } from "../../lib/retry.ts";

const soon = { firstWaitMs: 1, longestWaitMs: 2 };

function failure(code: ErrorCode, outcome: Outcome) {
  return containerdError({ code, outcome, reason: "no", action: "delete", resource: 'image "x"' });
}

/** Work that fails a few times. */
class Failing {
  attempts = 0;
  readonly #error: unknown;
  readonly #times: number;

  constructor(error: unknown, times = Infinity) {
    this.#error = error;
    this.#times = times;
  }

  readonly run = (): number => {
    if (++this.attempts <= this.#times) throw this.#error;
    return this.attempts;
  };
}

Deno.test("retry() tries again until it goes well, and tells of each failure", async () => {
  const error = failure("unavailable", "not sent");
  const told: unknown[] = [];
  const work = new Failing(error, 2);
  const onRetry = ({ waitMs, ...failed }: { error: unknown; attempts: number; waitMs: number }) => {
    assert(waitMs >= 1 && waitMs <= 2);
    told.push(failed);
  };
  assertEquals(await retry(work.run, { ...soon, onRetry }), 3);
  assertEquals(told, [{ error, attempts: 1 }, { error, attempts: 2 }]);
});

Deno.test("retry() gives up after so many attempts, with the last error", async () => {
  const error = failure("unavailable", "no effect");
  const work = new Failing(error);
  assertEquals(await assertRejects(() => retry(work.run, { ...soon, attempts: 3 })), error);
  assertEquals(work.attempts, 3);
});

Deno.test("retry() does not repeat what may have had an effect, unless told to", async () => {
  const error = failure("unavailable", "unknown");
  const work = new Failing(error, 1);
  assertEquals(await assertRejects(() => retry(work.run, soon)), error);
  assertEquals(work.attempts, 1);
  const again = new Failing(error, 1);
  assertEquals(await retry(again.run, { ...soon, mayPass: () => true }), 2);
});

Deno.test("retry() begins no attempt for which there is no time", async () => {
  const error = failure("unavailable", "not sent");
  const work = new Failing(error);
  const trying = () => retry(work.run, { firstWaitMs: 60_000, timeoutMs: 1_000 });
  assertEquals(await assertRejects(trying), error);
  assertEquals(work.attempts, 1);
});

Deno.test("retry() ends the attempt that is running when the time is over", async () => {
  const work = async ({ signal }: { signal: AbortSignal }) => {
    const { promise, reject } = Promise.withResolvers<never>();
    signal.addEventListener("abort", () => reject(signal.reason));
    return await promise;
  };
  const trying = () => retry(work, { timeoutMs: 5 });
  await assertRejects(trying, DeadlineExceededError, "Cannot try again: the 5ms for all attempts are over");
});

Deno.test("retry() ends with its signal, also in a pause", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  const work = new Failing(failure("unavailable", "not sent"));
  const onRetry = () => queueMicrotask(() => controller.abort(reason));
  const trying = () => retry(work.run, { firstWaitMs: 60_000, onRetry, signal: controller.signal });
  assertEquals(await assertRejects(trying), reason);
  assertEquals(work.attempts, 1);
});

Deno.test("retry() refuses to try less than once", async () => {
  await assertRejects(() => retry(() => 1, { attempts: 0 }), RangeError);
});

Deno.test("isTemporary() tells what may pass and did nothing", () => {
  assert(isTemporary(failure("unavailable", "not sent")));
  assert(isTemporary(failure("deadline_exceeded", "no effect")));
  assert(!isTemporary(failure("deadline_exceeded", "unknown")));
  assert(!isTemporary(failure("not_found", "refused")));
  assert(!isTemporary(new Error("unavailable")));
  const busy = { code: "unavailable", reason: "busy", action: "pull", resource: 'image "x"' } as const;
  assert(isTemporary(new RegistryError({ ...busy, isTemporary: true })));
  assert(!isTemporary(new RegistryError({ ...busy, isTemporary: true, outcome: "unknown" })));
  assert(!isTemporary(new RegistryError(busy)));
});
