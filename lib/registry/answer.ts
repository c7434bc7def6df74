import type { Patience } from "./patience.ts";
import { ConnectionError } from "./wire.ts";

/** What one read may bring: Deno takes as much from a connection at once. */
const readBytes = 512 * 1024;

/** Pieces of the body have up to so many bytes, which suits the messages in which containerd gets them. */
const pieceBytes = 1024 * 1024;

/** How long a piece may wait for more, in milliseconds. */
const patientMs = 100;

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

  /**
   * The body as it comes, in large pieces where it comes fast. The time between two reads is bounded, that of the
   * reader of this is not counted.
   */
  async *pieces(): AsyncIterable<Uint8Array> {
    const reader = this.#response.body?.getReader({ mode: "byob" });
    if (reader === undefined) return;
    const gatherer = new Gatherer();
    let read = new Uint8Array(readBytes);
    let ended = false;
    try {
      while (!ended) {
        this.#patience.restart();
        const { done, value } = await reader.read(read);
        this.#patience.pause();
        ended = done;
        if (done) break;
        yield* gatherer.add(value);
        read = new Uint8Array(value.buffer);
      }
      yield* gatherer.rest();
    } catch (error) {
      ended = true;
      yield* gatherer.rest();
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

/** Puts the bytes of many reads together in pieces, each in memory of its own, as long as they come fast. */
class Gatherer {
  #bytes = 64 * 1024;
  #piece: Uint8Array | undefined;
  #length = 0;
  #began = 0;

  /** The pieces that these bytes complete; they are copied. */
  *add(bytes: Uint8Array): Iterable<Uint8Array> {
    for (let rest = bytes; rest.length > 0;) {
      if (this.#piece === undefined) {
        this.#piece = new Uint8Array(this.#bytes);
        this.#began = performance.now();
      }
      const taken = rest.subarray(0, this.#piece.length - this.#length);
      this.#piece.set(taken, this.#length);
      this.#length += taken.length;
      rest = rest.subarray(taken.length);
      if (this.#length < this.#piece.length) continue;
      yield* this.rest();
      this.#bytes = Math.min(2 * this.#bytes, pieceBytes);
    }
    if (performance.now() - this.#began >= patientMs) yield* this.rest();
  }

  /** The piece that is not complete yet, if there is one. */
  *rest(): Iterable<Uint8Array> {
    const piece = this.#piece?.subarray(0, this.#length);
    this.#piece = undefined;
    this.#length = 0;
    if (piece) yield piece;
  }
}
