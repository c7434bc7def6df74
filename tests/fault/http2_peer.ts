import { encodeHeaders, type Header } from "../../lib/transport/http2/hpack.ts";
import {
  ConnectionReader,
  encodeFrame,
  type Frame,
  frameTypes,
  numbersFrame,
  prefaceBytes,
} from "./frames.ts";
import { rawServer } from "./servers.ts";

/** What a frame has unless it is said otherwise: nothing. */
export type SomeFrame = Partial<Frame> & { type: number };

const endStream = 1;
const endHeaders = 4;

/** The server's side of a connection: says what it is told, however wrong that is. */
export class Http2Peer {
  /** All that the client has sent. */
  readonly seen: Frame[] = [];
  readonly #connection: Deno.Conn;
  readonly #unused: Frame[] = [];
  readonly #frames: AsyncIterator<Frame>;

  constructor(connection: Deno.Conn) {
    this.#connection = connection;
    const reader = new ConnectionReader(connection);
    this.#frames = (async function* () {
      await reader.bytes(prefaceBytes);
      yield* reader.frames();
    })();
  }

  /** Sends the first SETTINGS: pairs of number and value. */
  async greet(...settings: [number, number][]): Promise<void> {
    await this.send(settingsFrame(...settings));
  }

  async send(...frames: SomeFrame[]): Promise<void> {
    await this.write(bytesOf(...frames));
  }

  /** Sends bytes, in pieces of so many at most; the client may be gone. */
  async write(bytes: Uint8Array, pieceBytes: number = bytes.length): Promise<void> {
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      const piece = bytes.subarray(at, at + pieceBytes);
      try {
        for (let written = 0; written < piece.length;) {
          written += await this.#connection.write(piece.subarray(written));
        }
      } catch {
        return;
      }
    }
  }

  /** The first frame of a type that nobody has asked for yet, or `undefined` when the client hangs up before. */
  next(type: number): Promise<Frame | undefined> {
    return this.#find((frame) => frame.type === type);
  }

  /** Waits for a request with its only message; resolves to its stream. */
  async request(): Promise<number> {
    const { stream = 0 } = await this.next(frameTypes.headers) ?? {};
    await this.#find((frame) => frame.type === frameTypes.data && frame.stream === stream);
    return stream;
  }

  close(): void {
    try {
      this.#connection.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error; // closed before
    }
  }

  async #find(isWanted: (frame: Frame) => boolean): Promise<Frame | undefined> {
    const index = this.#unused.findIndex(isWanted);
    if (index >= 0) return this.#unused.splice(index, 1)[0];
    for (;;) {
      const { value, done } = await this.#frames.next();
      if (done) return undefined;
      this.seen.push(value);
      if (isWanted(value)) return value;
      this.#unused.push(value);
    }
  }
}

/**
 * Starts a server that does with each connection as its script says, which gets the number of those before. What a
 * script throws shows when the server is disposed of.
 */
export function scriptedServer(
  path: string,
  script: (peer: Http2Peer, index: number) => Promise<void>,
): AsyncDisposable {
  const scripts: Promise<unknown>[] = [];
  const server = rawServer(path, (connection) => {
    const peer = new Http2Peer(connection);
    const running = script(peer, scripts.length).then(() => undefined, (error) => {
      peer.close(); // its client would wait for ever
      return { error };
    });
    scripts.push(running);
  });
  return {
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      const failed = (await Promise.all(scripts)).find((result) => result !== undefined);
      if (failed) throw (failed as { error: unknown }).error;
    },
  };
}

/** The bytes of frames, one after the other. */
export function bytesOf(...frames: SomeFrame[]): Uint8Array<ArrayBuffer> {
  const encoded = frames.map((frame) =>
    encodeFrame({ flags: 0, stream: 0, payload: new Uint8Array(), ...frame })
  );
  return concatenated(encoded);
}

export function concatenated(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

export function settingsFrame(...settings: [number, number][]): Frame {
  const payload = new Uint8Array(6 * settings.length);
  const view = new DataView(payload.buffer);
  for (const [index, [number, value]] of settings.entries()) {
    view.setUint16(6 * index, number);
    view.setUint32(6 * index + 2, value);
  }
  return { type: frameTypes.settings, flags: 0, stream: 0, payload };
}

export function windowUpdate(stream: number, bytes: number): Frame {
  return numbersFrame(8, { stream, numbers: [bytes] });
}

/** The headers that a gRPC answer begins with. */
export const answerHeaders: readonly Header[] = [[":status", "200"], ["content-type", "application/grpc"]];

export function headersFrame(
  stream: number,
  headers: readonly Header[] = answerHeaders,
  { isEnd = false } = {},
): Frame {
  const flags = endHeaders | (isEnd ? endStream : 0);
  return { type: frameTypes.headers, flags, stream, payload: encodeHeaders(headers) };
}

/** The status that a gRPC answer ends with. */
export function trailersFrame(stream: number, status = 0, message = ""): Frame {
  const text: Header[] = message ? [["grpc-message", message]] : [];
  return headersFrame(stream, [["grpc-status", String(status)], ...text], { isEnd: true });
}

export function dataFrame(stream: number, payload: Uint8Array<ArrayBuffer>): Frame {
  return { type: frameTypes.data, flags: 0, stream, payload };
}

/** A gRPC message with its prefix. */
export function grpcMessage(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(5 + message.length);
  new DataView(bytes.buffer).setUint32(1, message.length);
  bytes.set(message, 5);
  return bytes;
}

/** A message whose first field is that text, as the answer of Version has it. */
export function textMessage(text: string): Uint8Array<ArrayBuffer> {
  return grpcMessage(Uint8Array.of(0x0a, text.length, ...new TextEncoder().encode(text)));
}

/** A whole answer to Version. */
export function versionAnswer(stream: number, version: string): Frame[] {
  return [headersFrame(stream), dataFrame(stream, textMessage(version)), trailersFrame(stream)];
}
