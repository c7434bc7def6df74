import { deadlineFailure } from "./failure.ts";
import type { Call, Method } from "./transport.ts";

/**
 * A signal that aborts when the caller's does or when the time of a call is up, with the error to reject with as
 * its reason. Dispose it when the call ends.
 */
export class Deadline implements Disposable {
  readonly #controller = new AbortController();
  readonly #expire: () => void;
  readonly #cancel: () => void;
  readonly #signal: AbortSignal | undefined;
  readonly #timeoutMs: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(method: Method, call: Call) {
    const timeoutMs = call.timeoutMs ?? method.deadlineMs;
    this.#timeoutMs = timeoutMs;
    this.#signal = call.signal;
    this.#expire = () => this.#controller.abort(deadlineFailure(method, call, timeoutMs!));
    this.#cancel = () => this.#controller.abort(call.signal!.reason);
    if (call.signal?.aborted) this.#cancel();
    call.signal?.addEventListener("abort", this.#cancel);
    this.restart();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Gives the call its whole time again: a stream does so with each message. */
  restart(): void {
    clearTimeout(this.#timer);
    if (this.#timeoutMs !== undefined) this.#timer = setTimeout(this.#expire, this.#timeoutMs);
  }

  /** Stops the clock while the other side is not the one being waited for. */
  pause(): void {
    clearTimeout(this.#timer);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener("abort", this.#cancel);
  }
}
