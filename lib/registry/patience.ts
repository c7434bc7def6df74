import type { Clock } from "../transport/clock.ts";

/** Aborts its signal when the caller's does, or when nothing happened for a while. Dispose it in the end. */
export class Patience implements Disposable {
  readonly #controller = new AbortController();
  readonly #clock: Clock;
  readonly #ms: number;
  readonly #source: AbortSignal | undefined;
  readonly #expire: () => void;

  /** Registries share a `clock`; `ms` is how long nothing may happen. */
  constructor({ clock, ms, signal }: { clock: Clock; ms: number; signal?: AbortSignal | undefined }) {
    this.#clock = clock;
    this.#ms = ms;
    this.#source = signal;
    this.#expire = () => this.#controller.abort(new Stalled(ms));
    if (signal?.aborted) this.#controller.abort(signal.reason);
    signal?.addEventListener("abort", this.#follow);
    this.restart();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Something happened: waits anew. */
  restart(): void {
    this.#clock.set(this.#expire, this.#ms);
  }

  /** Stops the clock while the other side is not the one being waited for. */
  pause(): void {
    this.#clock.clear(this.#expire);
  }

  /** Gives up for a reason of one's own. */
  end(reason: unknown): void {
    this.#controller.abort(reason);
  }

  [Symbol.dispose](): void {
    this.pause();
    this.#source?.removeEventListener("abort", this.#follow);
  }

  readonly #follow = (): void => this.#controller.abort(this.#source!.reason);
}

/** Nothing came for too long. */
export class Stalled extends Error {
  override name = "Stalled";

  constructor(ms: number) {
    super(`nothing came for ${ms < 1000 ? `${ms} ms` : `${Math.round(ms / 1000)} s`}`);
  }
}
