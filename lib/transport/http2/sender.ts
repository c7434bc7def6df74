import {
  encodeFrame,
  encodeFrameHeader,
  frameFlags,
  frameTypes,
  largestWindow,
  usualFrameBytes,
  usualWindow,
} from "./frames.ts";
import { encodeHeaders } from "./hpack.ts";
import { ProtocolError } from "./http2_error.ts";
import type { Output } from "./output.ts";
import type { Stream } from "./stream.ts";

/** Sends requests as far as the windows have room, a frame of each stream in turn. */
export class Sender {
  /** The largest payload that the server takes. */
  frameBytes: number = usualFrameBytes;
  readonly #output: Output;
  /** Those that have something to send, in turn. */
  readonly #ready = new Set<Stream>();
  /** Those that have something to send, for which the connection's window has no room. */
  readonly #stalled = new Set<Stream>();
  #window = usualWindow;

  constructor(output: Output) {
    this.#output = output;
  }

  /** The first frames of a stream. */
  begin(stream: Stream): void {
    const block = encodeHeaders(stream.requestHeaders, { isFirst: stream.id === 1 });
    for (let at = 0; at < block.length; at += this.frameBytes) {
      const payload = block.subarray(at, at + this.frameBytes);
      const type = at === 0 ? frameTypes.headers : frameTypes.continuation;
      const flags = at + this.frameBytes < block.length ? 0 : frameFlags.endHeaders;
      const frame = encodeFrame({ type, flags, stream: stream.id, payload });
      this.#output.push(frame, at === 0 ? (left) => stream.isSent = left : undefined);
    }
  }

  /** The stream may have something to send, and room for it. */
  add(stream: Stream): void {
    this.#ready.add(stream);
    this.pump();
  }

  remove(stream: Stream): void {
    this.#ready.delete(stream);
    this.#stalled.delete(stream);
  }

  /** @throws {ProtocolError} when the connection's window becomes larger than allowed. */
  widen(bytes: number): void {
    this.#window += bytes;
    if (this.#window > largestWindow) throw new ProtocolError("a window too large");
    for (const stream of this.#stalled) this.#ready.add(stream);
    this.#stalled.clear();
    this.pump();
  }

  /** Sends what there is room for. */
  pump(): void {
    for (const stream of this.#ready) {
      if (this.#output.room <= 0) return;
      if (stream.id === 0) continue; // it is not open yet
      this.#ready.delete(stream);
      if (!stream.canSend) continue; // it comes back when its window is widened
      const { bytes, isLast } = stream.take(Math.min(this.frameBytes, this.#window, stream.room));
      if (bytes.length === 0 && !isLast) {
        this.#stalled.add(stream);
        continue;
      }
      this.#window -= bytes.length;
      const flags = isLast ? frameFlags.endStream : 0;
      const { length } = bytes;
      this.#output.push(encodeFrameHeader({ type: frameTypes.data, flags, stream: stream.id, length }));
      if (length > 0) this.#output.push(bytes);
      if (stream.canSend) this.#ready.add(stream); // behind the others
    }
  }
}
