import { frameFlags, type FrameHeader, frameHeaderBytes, frameTypes, joined, unpadded } from "./frames.ts";
import { type Header, HeaderDecoder } from "./hpack.ts";
import { ProtocolError } from "./http2_error.ts";

const priorityBytes = 5;

/** Headers of a stream, and whether they are all that comes. */
export interface HeaderBlock {
  stream: number;
  headers: Header[];
  isEnd: boolean;
}

/** Puts together the headers that come in one frame or several. */
export class HeaderBlocks {
  readonly #decoder: HeaderDecoder;
  readonly #listBytes: number;
  /** What goes on in the next frame. */
  #begun: { header: FrameHeader; parts: Uint8Array[]; bytes: number } | undefined;

  constructor({ listBytes }: { listBytes: number }) {
    this.#decoder = new HeaderDecoder({ listBytes });
    this.#listBytes = listBytes;
  }

  /** @throws {ProtocolError} when a frame begins that may not come now. */
  check({ type, stream }: FrameHeader): void {
    const isContinued = this.#begun !== undefined;
    const continues = type === frameTypes.continuation;
    if (isContinued !== continues || isContinued && stream !== this.#begun!.header.stream) {
      throw new ProtocolError("headers that are interrupted");
    }
  }

  /** The headers that a frame completes. */
  take(header: FrameHeader, payload: Uint8Array): HeaderBlock | undefined {
    const isWhole = (header.flags & frameFlags.endHeaders) !== 0;
    const part = header.type === frameTypes.headers
      ? withoutPriority(header, unpadded(header, payload))
      : payload;
    if (isWhole && this.#begun === undefined) return this.#decoded(header, part);
    this.#begun ??= { header, parts: [], bytes: 0 };
    this.#begun.parts.push(part.slice());
    this.#begun.bytes += frameHeaderBytes + part.length;
    if (this.#begun.bytes > this.#listBytes) {
      throw new ProtocolError(`headers of more than ${this.#listBytes} bytes`);
    }
    if (!isWhole) return undefined;
    const { header: first, parts } = this.#begun;
    this.#begun = undefined;
    return this.#decoded(first, joined(parts));
  }

  #decoded({ stream, flags }: FrameHeader, block: Uint8Array): HeaderBlock {
    return { stream, headers: this.#decoder.decode(block), isEnd: (flags & frameFlags.endStream) !== 0 };
  }
}

function withoutPriority({ flags }: FrameHeader, payload: Uint8Array): Uint8Array {
  if ((flags & frameFlags.priority) === 0) return payload;
  if (payload.length < priorityBytes) throw new ProtocolError("a frame of the wrong size");
  return payload.subarray(priorityBytes);
}
