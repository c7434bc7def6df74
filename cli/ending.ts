import { formatDuration } from "../mod.ts";
import { CliError } from "./errors.ts";

/** What a timer can wait at most; beyond it would not wait at all. */
const longestMs = 2 ** 31 - 1;

/** What may end a run before it is done. */
export interface EndingOptions {
  signal?: AbortSignal | undefined;
  /** 0 is no limit. */
  timeoutMs?: number | undefined;
  /** How long the run may take to clean up after it was told to end. Default 10,000. */
  graceMs?: number | undefined;
}

/** Why and when a run ends before it is done: a signal from outside, or its time is up. */
export class Ending implements Disposable {
  readonly #controller = new AbortController();
  readonly #overdue = Promise.withResolvers<never>();
  readonly #outside: AbortSignal | undefined;
  readonly #graceMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #grace: ReturnType<typeof setTimeout> | undefined;

  constructor({ signal, timeoutMs = 0, graceMs = 10_000 }: EndingOptions) {
    this.#graceMs = graceMs;
    this.#overdue.promise.catch(() => {}); // it may come when nobody waits any more
    this.#outside = signal;
    if (timeoutMs > 0) {
      this.#timer = setTimeout(() => this.#end(timeUp(timeoutMs)), Math.min(timeoutMs, longestMs));
    }
    if (signal?.aborted) this.#end(signal.reason);
    signal?.addEventListener("abort", this.#forward);
  }

  /** Aborts when the run has to end, with the error to end with. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Resolves like `work`, but does not wait for ever for the cleaning up of a run that has to end. */
  async bound<T>(work: Promise<T>): Promise<T> {
    return await Promise.race([work, this.#overdue.promise]);
  }

  [Symbol.dispose](): void {
    for (const timer of [this.#timer, this.#grace]) {
      if (timer !== undefined) clearTimeout(timer); // a first call of it costs 5 ms
    }
    this.#outside?.removeEventListener("abort", this.#forward);
  }

  readonly #forward = (): void => this.#end(this.#outside!.reason);

  #end(reason: unknown): void {
    if (this.signal.aborted) return;
    this.#grace = setTimeout(() => this.#overdue.reject(reason), this.#graceMs);
    this.#controller.abort(reason);
  }
}

function timeUp(timeoutMs: number): CliError {
  return new CliError(`Cannot finish within ${formatDuration(timeoutMs)}`, { code: "deadline_exceeded" });
}
