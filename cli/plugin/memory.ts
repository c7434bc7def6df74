/** How much memory a plugin may take. Deno has no limit of its own for a worker: all of davit would die of it. */

const mostBytes = 1 << 30;
const leastBytes = 256 << 20;

/** How often it is looked at, in milliseconds; meanwhile a plugin gets hold of some 100 MiB at most. */
const everyMs = 50;

/** Tells, once, when this process takes more memory than it has for itself and a plugin may take. */
export class MemoryWatch implements Disposable {
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(onExcess: (most: string) => void) {
    const most = Math.max(leastBytes, Math.min(mostBytes, Deno.systemMemoryInfo().total / 4));
    this.#timer = setInterval(() => {
      if (ofOthers() <= most) return;
      this[Symbol.dispose]();
      onExcess(`${Math.round(most / (1 << 20))} MiB`);
    }, everyMs);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** What of the memory of this process is not in the heap that this code is in: that of workers, for the most part. */
function ofOthers(): number {
  const { rss, heapTotal, external } = Deno.memoryUsage();
  return rss - heapTotal - external;
}
