/** A time to wait that leaves no timer behind when it is no longer waited for. */
export class Pause implements Disposable {
  /** Resolves to false when the time is over. */
  readonly over: Promise<false>;
  readonly #timer: ReturnType<typeof setTimeout>;

  constructor(durationMs: number) {
    const { promise, resolve } = Promise.withResolvers<false>();
    this.over = promise;
    this.#timer = setTimeout(() => resolve(false), durationMs);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
