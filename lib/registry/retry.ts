import { delay, pauseMs, type RetryPolicy } from "../pause.ts";
import type { Clock } from "../transport/clock.ts";
import { RegistryError } from "./failure.ts";

/** A request that failed and will be repeated. */
export interface Retry {
  /** The host that failed. */
  host: string | undefined;
  /** Why it failed, in words. */
  reason: string;
  /** How many attempts there were. */
  attempts: number;
  /** Milliseconds until the next one. */
  waitMs: number;
}

/** Counts failures in a row and waits after each; a registry that makes progress gets all attempts again. */
export class Attempts {
  readonly #policy: Required<{ [K in keyof RetryPolicy]: NonNullable<RetryPolicy[K]> }>;
  readonly #clock: Clock;
  readonly #closing: AbortSignal;
  readonly #onRetry: ((retry: Retry) => void) | undefined;
  #failed = 0;

  constructor(
    { attempts = 5, firstWaitMs = 300, longestWaitMs = 60_000 }: RetryPolicy,
    { clock, closing, onRetry }: {
      clock: Clock;
      closing: AbortSignal;
      onRetry?: ((retry: Retry) => void) | undefined;
    },
  ) {
    this.#policy = { attempts, firstWaitMs, longestWaitMs };
    this.#clock = clock;
    this.#closing = closing;
    this.#onRetry = onRetry;
  }

  progressed(): void {
    this.#failed = 0;
  }

  /** Waits before the next attempt. Rethrows an error that lasts, or comes too often. */
  async failed(error: unknown, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (!(error instanceof RegistryError) || !error.isTemporary) throw error;
    const { attempts, firstWaitMs, longestWaitMs } = this.#policy;
    if (++this.#failed >= attempts) throw error;
    if ((error.retryAfterMs ?? 0) > longestWaitMs) {
      const seconds = Math.round(error.retryAfterMs! / 1000);
      throw error.withReason(`${error.reason}; it asks to wait for ${seconds} s`);
    }
    const pause = pauseMs(this.#failed, { firstWaitMs, longestWaitMs });
    const waitMs = Math.ceil( // not before the registry's own time
      error.retryAfterMs === undefined ? pause : error.retryAfterMs + pause / 10,
    );
    this.#onRetry?.({ host: error.host, reason: error.reason, attempts: this.#failed, waitMs });
    const ending = AbortSignal.any([this.#closing, ...signal ? [signal] : []]);
    await delay(waitMs, { clock: this.#clock, signal: ending });
  }

  /** Repeats `work` as long as that may help. */
  async run<Result>(work: () => Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        await this.failed(error, signal);
      }
    }
  }
}
