import { formatDuration } from "./duration.ts";
import { ContainerdError, containerdError, type ErrorCode } from "./errors.ts";
import { delay, pauseMs, type RetryPolicy } from "./pause.ts";
import { RegistryError } from "./registry/failure.ts";
import { Clock } from "./transport/clock.ts";

/** How {@linkcode retry} goes on. */
export interface RetryOptions extends RetryPolicy {
  /** All attempts and pauses together may take this long, in milliseconds; then the last one is ended. */
  timeoutMs?: number | undefined;
  /** Whether to try again after an error. Default: {@linkcode isTemporary}. */
  mayPass?: ((error: unknown) => boolean) | undefined;
  /** Called before each pause. */
  onRetry?: ((failure: FailedAttempt) => void) | undefined;
  /** Ends attempts and pauses. */
  signal?: AbortSignal | undefined;
}

/** An attempt that failed and will be followed by another. */
export interface FailedAttempt {
  /** What it threw. */
  error: unknown;
  /** How many attempts there were. */
  attempts: number;
  /** Milliseconds until the next one. */
  waitMs: number;
}

/**
 * Does `work` again when it fails for a cause that may pass, after pauses that grow and are a little random.
 *
 * What may have changed something is not done again: only you know whether it may be. Say so with `mayPass`.
 *
 * ```ts
 * import { connect, isTemporary, OutcomeUnknownError, retry } from "davit";
 *
 * async function example() {
 *   await using client = await connect({ address: "/run/containerd/containerd.sock" });
 *   const { images } = client.namespace("k8s.io");
 *   const count = async ({ signal }: { signal: AbortSignal }) => (await Array.fromAsync(images.list({ signal }))).length;
 *   console.log(await retry(count, { attempts: 3, timeoutMs: 60_000 }));
 *   const label = () => images.update({ name: "example.com/app:1", labels: { checked: "yes" } });
 *   // The same label twice is one label.
 *   await retry(label, { mayPass: (error) => isTemporary(error) || error instanceof OutcomeUnknownError });
 * }
 * ```
 *
 * @throws what the last attempt threw, or the reason of the signal; {@linkcode DeadlineExceededError} is that of the
 * time's end.
 */
export async function retry<Result>(
  work: (call: { signal: AbortSignal; attempt: number }) => Result | Promise<Result>,
  options: RetryOptions = {},
): Promise<Result> {
  const { attempts = 5, firstWaitMs = 300, longestWaitMs = 60_000, timeoutMs = Infinity } = options;
  const { mayPass = isTemporary, onRetry, signal: outer } = options;
  if (!(attempts >= 1)) throw new RangeError(`Cannot try ${attempts} times: expected 1 or more`);
  const clock = new Clock();
  const ending = new AbortController();
  const expire = () => ending.abort(timeOver(timeoutMs));
  const signal = outer === undefined ? ending.signal : AbortSignal.any([ending.signal, outer]);
  const endsAt = performance.now() + timeoutMs;
  if (timeoutMs !== Infinity) clock.set(expire, timeoutMs);
  try {
    for (let attempt = 1;; attempt++) {
      outer?.throwIfAborted();
      try {
        return await work({ signal, attempt });
      } catch (error) {
        outer?.throwIfAborted();
        const waitMs = Math.ceil(pauseMs(attempt, { firstWaitMs, longestWaitMs }));
        const hasTime = performance.now() + waitMs < endsAt;
        if (attempt >= attempts || !hasTime || !mayPass(error)) throw error;
        onRetry?.({ error, attempts: attempt, waitMs });
        await delay(waitMs, { clock, signal });
      }
    }
  } finally {
    clock.clear(expire);
  }
}

function timeOver(timeoutMs: number): ContainerdError {
  const reason = `the ${formatDuration(timeoutMs)} for all attempts are over`;
  return containerdError({ code: "deadline_exceeded", action: "try again", reason, outcome: "unknown" });
}

/**
 * Whether the same may succeed later, and may be done again without harm: containerd or a registry is busy or was not
 * reached, and nothing was changed.
 *
 * ```ts
 * import { containerdError, isTemporary } from "davit";
 * import { assertEquals } from "davit/testing";
 *
 * const lost = { code: "unavailable", action: "delete", reason: "connection lost" } as const;
 * assertEquals(isTemporary(containerdError({ ...lost, outcome: "not sent" })), true);
 * assertEquals(isTemporary(containerdError({ ...lost, outcome: "unknown" })), false);
 * ```
 */
export function isTemporary(error: unknown): boolean {
  if (error instanceof RegistryError) return error.isTemporary && error.outcome !== "unknown";
  return error instanceof ContainerdError && passing.has(error.code) && error.outcome !== "unknown";
}

const passing: ReadonlySet<ErrorCode> = new Set(["unavailable", "deadline_exceeded", "resource_exhausted"]);
