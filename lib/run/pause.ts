import { Clock } from "../transport/clock.ts";

/** A time to wait that leaves no timer behind when it is no longer waited for. */
export class Pause implements Disposable {
  /** Resolves to false when the time is over. */
  readonly over: Promise<false>;
  readonly #clock = new Clock(); // for what a first `setTimeout` takes, a process can start and end
  readonly #wake: () => void;

  constructor(durationMs: number) {
    const { promise, resolve } = Promise.withResolvers<false>();
    this.over = promise;
    this.#wake = () => resolve(false);
    this.#clock.set(this.#wake, durationMs);
  }

  [Symbol.dispose](): void {
    this.#clock.clear(this.#wake);
  }
}
