import type { Patience } from "./patience.ts";
import { ConnectionError } from "./wire.ts";

/** An answer of a registry. Whoever does not read its body to the end disposes it. */
export class Answer implements AsyncDisposable {
  readonly status: number;
  readonly headers: Headers;
  /** What was asked, before redirects. */
  readonly url: URL;
  readonly #response: Response;
  readonly #patience: Patience;

  constructor(response: Response, { patience, url }: { patience: Patience; url: URL }) {
    this.status = response.status;
    this.headers = response.headers;
    this.url = url;
    this.#response = response;
    this.#patience = patience;
  }

  /** The body as it comes; the time between two pieces is bounded, that of the reader is not counted. */
  async *pieces(): AsyncIterable<Uint8Array> {
    const reader = this.#response.body?.getReader();
    if (reader === undefined) return;
    let ended = false;
    try {
      for (;;) {
        this.#patience.restart();
        const { done, value } = await reader.read();
        this.#patience.pause();
        ended = done;
        if (done) return;
        yield value;
      }
    } catch (error) {
      ended = true;
      this.#patience.signal.throwIfAborted();
      throw new ConnectionError(error);
    } finally {
      if (!ended) await reader.cancel().catch(() => {}); // it is over either way
      reader.releaseLock();
    }
  }

  /** The whole body, `undefined` when it is longer than the limit. */
  async bytes(limit: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const pieces: Uint8Array[] = [];
    let length = 0;
    for await (const piece of this.pieces()) {
      if ((length += piece.length) > limit) return undefined;
      pieces.push(piece);
    }
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const piece of pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#patience[Symbol.dispose]();
    if (!this.#response.bodyUsed) await this.#response.body?.cancel().catch(() => {});
  }
}
