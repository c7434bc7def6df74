/** How to map concurrently. */
export interface ConcurrentOptions {
  /** How many items are worked on at once. Default: 8. */
  limit?: number | undefined;
  /** Ends the work, and lets no more begin. */
  signal?: AbortSignal | undefined;
}

/**
 * Runs `work` on a few items at once; yields results in the order of the items, and takes items as there is room.
 *
 * A failure is thrown in its turn. From when it happens nothing more begins, and the signal that `work` gets aborts, as
 * it does when the reader wants no more. What runs is waited for, whichever way it ends.
 *
 * ```ts
 * import { connect, mapConcurrent } from "davit";
 *
 * async function example() {
 *   await using client = await connect({ address: "/run/containerd/containerd.sock" });
 *   const { content } = client.namespace("k8s.io");
 *   const digests = ["sha256:…", "sha256:…"];
 *   const sizes = mapConcurrent(digests, async (digest, { signal }) => {
 *     const { size } = await content.info(digest, { signal });
 *     return { digest, size };
 *   }, { limit: 4 });
 *   for await (const { digest, size } of sizes) console.log(digest, size);
 * }
 * ```
 *
 * @throws what `work` or the source of the items throws, or the reason of the signal.
 */
export async function* mapConcurrent<Item, Result>(
  items: Iterable<Item> | AsyncIterable<Item>,
  work: (item: Item, call: { signal: AbortSignal }) => Result | Promise<Result>,
  { limit = 8, signal: outer }: ConcurrentOptions = {},
): AsyncIterable<Result> {
  if (!(limit >= 1)) throw new RangeError(`Cannot map ${limit} items at once: expected 1 or more`);
  const ending = new AbortController();
  const signal = outer === undefined ? ending.signal : AbortSignal.any([ending.signal, outer]);
  const running: Promise<Result>[] = [];
  const next = async () => {
    try {
      return await running.shift()!;
    } catch (error) {
      throw signal.aborted ? signal.reason : error; // what failed first, rather than what it ended
    }
  };
  try {
    for await (const item of items) {
      outer?.throwIfAborted();
      if (signal.aborted) break;
      const result = (async () => await work(item, { signal }))();
      result.catch((error) => ending.abort(error)); // thrown when its turn comes
      running.push(result);
      if (running.length >= limit) yield await next();
    }
    while (running.length > 0) yield await next();
  } finally {
    if (running.length > 0) ending.abort();
    await Promise.allSettled(running);
  }
}

/** Lets at most `limit` pieces of work run at once, in the order in which they came. */
export class Limiter {
  readonly #limit: number;
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Runs `work` when its turn comes; a signal that aborts before that takes it out of the queue. */
  async run<Result>(work: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    if (this.#running < this.#limit) this.#running++;
    else await this.#turn(signal);
    try {
      return await work();
    } finally {
      this.#handOn();
    }
  }

  async #turn(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = () => {
      this.#waiting.delete(resolve);
      reject(signal!.reason);
    };
    this.#waiting.add(resolve);
    signal?.addEventListener("abort", leave);
    try {
      await promise;
    } finally {
      signal?.removeEventListener("abort", leave);
    }
  }

  #handOn(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#running--;
    } else {
      this.#waiting.delete(next);
      next();
    }
  }
}
