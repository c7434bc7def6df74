/** HTTP/2 frames, as far as a relay must know them: RFC 9113, section 4.1. */
export interface Frame {
  type: number;
  flags: number;
  stream: number;
  payload: Uint8Array<ArrayBuffer>;
}

export const frameTypes = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goAway: 7 } as const;

export const errorCodes = { noError: 0, refusedStream: 7, cancel: 8 } as const;

/** What a client sends before its first frame. */
export const prefaceBytes = 24;

const frameHeaderBytes = 9;

/** Whether the frame is the last of its side of a stream. */
export function endsStream({ type, flags }: Frame): boolean {
  if (type === frameTypes.reset) return true;
  return (type === frameTypes.data || type === frameTypes.headers) && (flags & 1) === 1;
}

/** Whether the frame acknowledges one of its type. */
export function isAcknowledgement({ flags }: Frame): boolean {
  return (flags & 1) === 1;
}

export function encodeFrame({ type, flags, stream, payload }: Frame): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(frameHeaderBytes + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, payload.length << 8 | type);
  view.setUint8(4, flags);
  view.setUint32(5, stream);
  bytes.set(payload, frameHeaderBytes);
  return bytes;
}

/** A frame whose payload is a row of 32-bit numbers. */
export function numbersFrame(
  type: number,
  { stream = 0, numbers }: { stream?: number; numbers: number[] },
): Frame {
  const payload = new Uint8Array(4 * numbers.length);
  const view = new DataView(payload.buffer);
  numbers.forEach((number, index) => view.setUint32(4 * index, number));
  return { type, flags: 0, stream, payload };
}

/**
 * The same settings and that the other side must not compress headers by reference to earlier ones: a relay that
 * keeps some of them to itself would else garble all that follow.
 */
export function withoutHeaderTable(settings: Frame): Frame {
  const headerTableSize = [0, 1, 0, 0, 0, 0];
  return { ...settings, payload: Uint8Array.from([...settings.payload, ...headerTableSize]) };
}

/** Reads from a connection in pieces of known length. */
export class ConnectionReader {
  readonly #connection: Deno.Conn;
  #buffered = new Uint8Array();

  constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  /** The frames until the connection ends. */
  async *frames(): AsyncIterable<Frame> {
    for (;;) {
      const header = await this.bytes(frameHeaderBytes);
      if (header === undefined) return;
      const view = new DataView(header.buffer);
      const payload = await this.bytes(view.getUint32(0) >>> 8);
      if (payload === undefined) return;
      yield { type: view.getUint8(3), flags: view.getUint8(4), stream: view.getUint32(5), payload };
    }
  }

  /** So many bytes, or `undefined` when the connection ends before. */
  async bytes(length: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    while (this.#buffered.length < length) {
      const chunk = new Uint8Array(65536);
      const read = await this.#connection.read(chunk).catch(() => null);
      if (read === null) return undefined;
      const joined = new Uint8Array(this.#buffered.length + read);
      joined.set(this.#buffered);
      joined.set(chunk.subarray(0, read), this.#buffered.length);
      this.#buffered = joined;
    }
    const bytes = this.#buffered.slice(0, length);
    this.#buffered = this.#buffered.slice(length);
    return bytes;
  }
}
