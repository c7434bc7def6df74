import type { Deadline } from "./transport/deadline.ts";

/**
 * Pairs the requests of a stream with their replies, which come one for each and in order. The deadline counts only
 * while one is due: a slow source is not a slow containerd.
 */
export class Exchange<Reply> {
  readonly #deadline: Deadline;
  #unanswered = 0;
  #closed = false;
  #changed = Promise.withResolvers<void>();
  #interrupt = (_reason: unknown) => {};
  /** The last reply so far. */
  latest: Reply | undefined;

  constructor(deadline: Deadline) {
    this.#deadline = deadline;
    deadline.signal.addEventListener("abort", this.close);
  }

  asking<Request>(request: Request): Request {
    if (this.#unanswered++ === 0) this.#deadline.restart();
    return request;
  }

  /** Waits until all requests, but so many, have their replies; resolves to the last one. */
  async answers({ allBut = 0 } = {}): Promise<Reply> {
    while (this.#unanswered > allBut) {
      if (this.#closed) throw ended();
      await this.#changed.promise;
    }
    return this.latest!;
  }

  /** Takes a reply. */
  answered(reply: Reply): void {
    this.latest = reply;
    if (--this.#unanswered === 0) this.#deadline.pause();
    else this.#deadline.restart();
    this.#change();
  }

  /** What a source gives, as long as there is use for it: one that is silent is then not waited for. */
  async *whileOpen<Item>(source: AsyncIterable<Item>): AsyncIterable<Item> {
    const items = source[Symbol.asyncIterator]();
    try {
      for (;;) {
        if (this.#closed) throw ended();
        const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<Item>>();
        this.#interrupt = reject; // a race with one promise for all items would keep them
        items.next().then(resolve, reject);
        const { done, value } = await promise;
        if (done) return;
        yield value;
      }
    } finally {
      Promise.resolve(items.return?.()).catch(() => {}); // it may have something to close
    }
  }

  readonly close = (): void => {
    this.#closed = true;
    this.#interrupt(ended());
    this.#change();
  };

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

function ended(): DOMException {
  return new DOMException("The write has ended", "AbortError");
}
