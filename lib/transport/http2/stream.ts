import { errorCodes, joined, largestWindow } from "./frames.ts";
import type { Header } from "./hpack.ts";
import { ProtocolError } from "./http2_error.ts";
import { lengthOf, MessageError, messagePrefix, MessageReader, prefixBytes } from "./messages.ts";

/**
 * How many bytes of answers containerd may send ahead of their reader, for each stream. Large enough for the messages
 * of Content.Read not to wait, small enough for thousands of streams.
 */
export const streamWindow: number = 2 * 1024 * 1024;

/** Smaller messages go in one frame with their prefix, at the cost of a copy. */
const smallBytes = 8 * 1024;

/** What a stream needs of its connection. */
export interface Carrier {
  /** There is something to send. */
  send(stream: Stream): void;
  /** The server may send so many more bytes. */
  credit(stream: Stream, bytes: number): void;
  /** Nobody waits for the stream any more; `code` tells the server, unless it is done with it. */
  leave(stream: Stream, code: number | undefined): void;
}

/** One call: messages of requests on their way out, those of answers on their way in. */
export class Stream {
  readonly requestHeaders: readonly Header[];
  /** 0 until the connection opens it. */
  id = 0;
  /** The request may have reached the server. */
  isSent = false;
  /** So many bytes the server takes; below 0 when it has thought better of it. */
  sendWindow = 0;
  /** Of the answer, once they are there. */
  headers: ReadonlyMap<string, string> | undefined;
  /** What the answer ends with, headers too if it has nothing else. */
  trailers: ReadonlyMap<string, string> | undefined;
  readonly #carrier: Carrier;
  readonly #reader = new MessageReader();
  readonly #messages: Uint8Array[] = [];
  #messageBytes = 0;
  #receiveWindow = streamWindow;
  /** Bytes that came in and that the server does not know to be taken. */
  #owed = 0;
  /** The requests that are still to be sent. */
  #outgoing: Uint8Array[] = [];
  /** The last request has been given, or is not wanted. */
  #requestsEnd = false;
  #requestsSent = false;
  #isOver = false;
  #failure: { error: unknown } | undefined;
  #wakeReader = () => {};
  #wakeWriter = () => {};

  constructor(carrier: Carrier, requestHeaders: readonly Header[]) {
    this.#carrier = carrier;
    this.requestHeaders = requestHeaders;
  }

  /**
   * Hands over a request, whose message may come in parts; resolves when it is on its way and the next one is welcome,
   * to whether there is any use in it.
   */
  async send(message: readonly Uint8Array[], { isLast = false } = {}): Promise<boolean> {
    if (this.#isOver) return false;
    const length = lengthOf(message);
    const parts = [messagePrefix(length), ...message];
    if (length > smallBytes) this.#outgoing.push(...parts);
    else this.#outgoing.push(joined(parts));
    if (isLast) this.#requestsEnd = true;
    this.#carrier.send(this);
    while (!this.#isOver && this.#outgoing.length > 0) {
      await new Promise<void>((resolve) => this.#wakeWriter = resolve);
    }
    return !this.#isOver;
  }

  /** Says that there are no more requests. */
  endRequests(): void {
    if (this.#isOver || this.#requestsEnd) return;
    this.#requestsEnd = true;
    this.#carrier.send(this);
  }

  /** The next answer, or `undefined` after the last one. Rejects as the stream fails. */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) {
        this.#messageBytes -= message.length + prefixBytes;
        this.#credit();
        return message;
      }
      if (this.#failure) throw this.#failure.error;
      if (this.trailers) return undefined;
      await new Promise<void>((resolve) => this.#wakeReader = resolve);
    }
  }

  /** Whether the answer ended in the middle of a message. */
  get breaksOff(): boolean {
    return this.#reader.unfinishedBytes > 0;
  }

  /** Ends the stream, unless it has ended; what waits for answers fails with `reason`. */
  cancel(reason?: unknown): void {
    if (this.#isOver) return;
    this.#fail(reason);
    this.#carrier.leave(this, errorCodes.cancel);
  }

  // The rest is for the connection.

  /** Whether there is something to send: bytes that the window has room for, or the end. */
  get canSend(): boolean {
    if (this.#outgoing.length > 0) return this.sendWindow > 0;
    return this.#requestsEnd && !this.#requestsSent;
  }

  /** So many bytes the server takes now. */
  get room(): number {
    return Math.max(this.sendWindow, 0);
  }

  /** Up to so many bytes of the requests, and whether they are the last. */
  take(most: number): { bytes: Uint8Array; isLast: boolean } {
    const [part = new Uint8Array()] = this.#outgoing;
    const bytes = part.length > most ? part.subarray(0, most) : part;
    if (bytes.length < part.length) this.#outgoing[0] = part.subarray(most);
    else this.#outgoing.shift();
    this.sendWindow -= bytes.length;
    const isEmpty = this.#outgoing.length === 0;
    const isLast = isEmpty && this.#requestsEnd;
    if (isLast) this.#requestsSent = true;
    if (isEmpty) this.#wakeWriter();
    return { bytes, isLast };
  }

  /** @throws {ProtocolError} when a window would become larger than allowed. */
  widen(bytes: number): void {
    this.sendWindow += bytes;
    if (this.sendWindow > largestWindow) throw new ProtocolError("a window too large");
  }

  receiveHeaders(headers: readonly Header[], isEnd: boolean): void {
    const received = new Map(headers);
    if (this.headers === undefined) {
      if (!isEnd && received.get(":status")?.startsWith("1")) return; // there will be others
      this.headers = received;
    } else if (!isEnd) {
      throw new ProtocolError("headers in the middle of an answer");
    }
    if (isEnd) this.#end(received);
  }

  /** A DATA frame begins. */
  expect(length: number): void {
    if (this.headers === undefined) throw new ProtocolError("an answer without headers");
    this.#receiveWindow -= length;
    this.#owed += length;
    if (this.#receiveWindow < 0) throw new ProtocolError("more bytes than the window has room for");
  }

  receiveData(part: Uint8Array): void {
    if (this.#isOver) return;
    try {
      for (const message of this.#reader.push(part)) {
        this.#messages.push(message);
        this.#messageBytes += message.length + prefixBytes;
      }
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      this.cancel(error);
      return;
    }
    if (this.#messages.length > 0) this.#wakeReader();
  }

  /** A DATA frame ends. */
  receiveEnd(isEnd: boolean): void {
    if (this.#isOver) return;
    if (isEnd) this.#end(new Map());
    else this.#credit();
  }

  /** Ends because of the connection, or of the server. */
  fail(error: unknown): void {
    if (this.#isOver) return;
    this.#fail(error);
    this.#carrier.leave(this, undefined);
  }

  #end(trailers: ReadonlyMap<string, string>): void {
    this.trailers = trailers;
    this.#finish();
    // An answer may come before all requests have gone.
    this.#carrier.leave(this, this.#requestsSent ? undefined : errorCodes.cancel);
  }

  #fail(error: unknown): void {
    this.#failure = { error };
    this.#finish();
  }

  #finish(): void {
    this.#isOver = true;
    this.#outgoing = [];
    this.#wakeReader();
    this.#wakeWriter();
  }

  /**
   * Lets the server send more for what its reader has taken. What is on its way to a message does not count while
   * the reader waits for it: the message may be larger than the window.
   */
  #credit(): void {
    if (this.#isOver) return;
    const isAhead = this.#messages.length > 0;
    const held = isAhead ? this.#messageBytes + this.#reader.unfinishedBytes : 0;
    const bytes = this.#owed - held;
    if (bytes < streamWindow / 2) return;
    this.#owed -= bytes;
    this.#receiveWindow += bytes;
    this.#carrier.credit(this, bytes);
  }
}
