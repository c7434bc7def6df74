import { Clock } from "./clock.ts";
import { deadlineFailure } from "./failure.ts";
import type { Call, Method } from "./transport.ts";

/** The longest time that a timer can wait; a longer one would end at once. */
const longestMs = 2 ** 31 - 1;

/**
 * What ends a call early: its signal aborts when the caller's does, when the transport closes, or when the time is
 * up, with the error to reject with as its reason. Dispose it when the call ends.
 */
export class Deadline implements Disposable {
  readonly #controller = new AbortController();
  readonly #sources: readonly AbortSignal[];
  readonly #timeoutMs: number;
  readonly #expire: () => void;
  readonly #clock: Clock;

  /** Calls of one transport share its `clock`, and end when it is `closing`. */
  constructor(
    method: Method,
    call: Call,
    { closing, clock = new Clock() }: { closing?: AbortSignal; clock?: Clock } = {},
  ) {
    this.#clock = clock;
    const timeoutMs = call.timeoutMs ?? method.deadlineMs ?? Infinity;
    this.#timeoutMs = timeoutMs;
    this.#expire = () => this.#controller.abort(deadlineFailure(method, call, timeoutMs));
    this.#sources = [closing, call.signal].filter((source) => source !== undefined);
    for (const source of this.#sources) {
      if (source.aborted) this.#controller.abort(source.reason);
      source.addEventListener("abort", this.#follow);
    }
    this.restart();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Gives the call its whole time again: a stream does so with each message. */
  restart(): void {
    if (this.#timeoutMs <= longestMs) this.#clock.set(this.#expire, this.#timeoutMs);
  }

  /** Stops the clock while the other side is not the one being waited for. */
  pause(): void {
    this.#clock.clear(this.#expire);
  }

  [Symbol.dispose](): void {
    this.pause();
    for (const source of this.#sources) source.removeEventListener("abort", this.#follow);
  }

  readonly #follow = ({ target }: Event): void => {
    if (target instanceof AbortSignal) this.#controller.abort(target.reason);
  };
}
