/**
 * Wakes many at their times. Deno loads a part of Node for the first `setTimeout`, which takes longer than a call to
 * containerd; `AbortSignal.timeout` is at hand but cannot be taken back, so that all share the next one that is due.
 */
export class Clock {
  readonly #due = new Map<() => void, number>();
  #alarm: AbortSignal | undefined;
  #ringsAt = Infinity;

  /** Calls `wake` in so many milliseconds, unless it is set anew or cleared before. */
  set(wake: () => void, inMs: number): void {
    const at = performance.now() + inMs;
    this.#due.set(wake, at);
    this.#ringAt(at);
  }

  clear(wake: () => void): void {
    this.#due.delete(wake);
    // An alarm that somebody listens to keeps the process from ending.
    if (this.#due.size === 0) this.#alarm?.removeEventListener("abort", this.#ring);
  }

  #ringAt(at: number): void {
    if (this.#alarm === undefined || this.#alarm.aborted || at < this.#ringsAt) {
      this.#alarm?.removeEventListener("abort", this.#ring);
      this.#alarm = AbortSignal.timeout(Math.max(0, Math.ceil(at - performance.now())));
      this.#ringsAt = at;
    }
    this.#alarm.addEventListener("abort", this.#ring);
  }

  readonly #ring = (): void => {
    const now = performance.now();
    const inOrder = [...this.#due].sort(([, a], [, b]) => a - b);
    const due = inOrder.filter(([, at]) => at <= now).map(([wake]) => wake);
    for (const wake of due) this.#due.delete(wake);
    if (this.#due.size > 0) this.#ringAt(Math.min(...this.#due.values()));
    for (const wake of due) wake();
  };
}
