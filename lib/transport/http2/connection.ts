/** One connection of HTTP/2, the client's side: RFC 9113. */
import {
  encodeFrame,
  encodeFrameHeader,
  encodeNumbers,
  encodeSettings,
  errorCodes,
  errorName,
  frameFlags,
  type FrameHeader,
  frameHeaderBytes,
  FrameReader,
  type FrameSink,
  frameTypes,
  largestWindow,
  numberAt,
  preface,
  settingNumbers,
  unpadded,
  usualFrameBytes,
  usualWindow,
} from "./frames.ts";
import { encodeHeaders, type Header, HeaderDecoder } from "./hpack.ts";
import { Http2Error, ProtocolError } from "./http2_error.ts";
import { Output } from "./output.ts";
import { type Carrier, Stream, streamWindow } from "./stream.ts";

/** How many bytes of answers may be on their way on all streams together. */
const connectionWindow = 16 * 1024 * 1024;

/** For the headers of an answer; a reason may repeat a name that the request came with. */
const headerListBytes = 1024 * 1024;

/** What one read may bring, which is what Linux keeps for a socket. */
const readBytes = 256 * 1024;

/** Ids are odd, and there are no more after this one. */
const lastStream = 2 ** 31 - 1;

/** Carries streams over a socket until one side closes it. */
export class Connection {
  /** Resolves when the server has greeted back, rejects if it does anything else. */
  readonly greeted: Promise<void>;
  readonly #socket: Deno.Conn;
  readonly #output: Output;
  readonly #streams = new Map<number, Stream>();
  /** Streams for which the server has no room yet. */
  readonly #waiting = new Set<Stream>();
  /** Streams that have something to send, in turn. */
  readonly #sending = new Set<Stream>();
  /** Streams that have something to send, for which the connection's window has no room. */
  readonly #stalled = new Set<Stream>();
  readonly #carrier: Carrier;
  readonly #headers = new HeaderDecoder({ listBytes: headerListBytes });
  readonly #reading: Promise<void>;
  readonly #greeting = Promise.withResolvers<void>();
  #isGreeted = false;
  /** Takes no more streams. */
  #isLeaving = false;
  #isClosed = false;
  #nextStream = 1;
  #sendWindow = usualWindow;
  /** Bytes of answers that the server does not know to have come. */
  #owed = 0;
  /** What the server says of itself. */
  #initialWindow = usualWindow;
  #frameBytes = usualFrameBytes;
  #streamsAtOnce = Infinity;
  /** The parts of headers that go on in the next frame. */
  #block: { header: FrameHeader; parts: Uint8Array[]; bytes: number } | undefined;

  constructor(socket: Deno.Conn) {
    this.#socket = socket;
    this.greeted = this.#greeting.promise;
    this.greeted.catch(() => {}); // not everybody waits for it
    this.#output = new Output(socket, {
      drained: () => this.#pump(),
      failed: (cause) => this.#end(new Http2Error(messageOf(cause), { cause })),
    });
    this.#carrier = {
      send: (stream) => {
        this.#sending.add(stream);
        this.#pump();
      },
      credit: (stream, bytes) => {
        this.#output.push(encodeNumbers(frameTypes.windowUpdate, stream.id, bytes));
      },
      leave: (stream, code) => this.#leave(stream, code),
    };
    this.#output.push(preface);
    const initialWindowSize = streamWindow;
    this.#output.push(
      encodeSettings({ enablePush: 0, initialWindowSize, maxHeaderListSize: headerListBytes }),
    );
    this.#output.push(encodeNumbers(frameTypes.windowUpdate, 0, connectionWindow - usualWindow));
    this.#output.flush(); // the server greets back while its client goes on
    this.#reading = this.#read();
  }

  /** Resolves when the connection is closed, by whomever. */
  get closed(): Promise<void> {
    return this.#reading;
  }

  /** Whether it takes more calls. */
  get isOpen(): boolean {
    return !this.#isLeaving;
  }

  /** Begins a call; its headers leave together with what is sent at once. While there is one, the process goes on. */
  open(headers: readonly Header[]): Stream {
    const stream = new Stream(this.#carrier, headers);
    if (this.#isLeaving) {
      stream.fail(new Http2Error("the connection is closed", { notSent: true }));
      return stream;
    }
    if (this.#isIdle) this.#socket.ref();
    this.#waiting.add(stream);
    this.#begin();
    return stream;
  }

  /** Ends what is under way with `reason`, and closes the socket. */
  async close(reason: unknown = new Http2Error("the connection is closed")): Promise<void> {
    this.#end(reason);
    await this.#reading;
  }

  /** Lets the process end although the connection stays open, until there is a call. */
  rest(): void {
    if (this.#isIdle && !this.#isClosed) this.#socket.unref();
  }

  get #isIdle(): boolean {
    return this.#streams.size === 0 && this.#waiting.size === 0;
  }

  /** Opens what has waited, as far as the server has room. */
  #begin(): void {
    for (const stream of this.#waiting) {
      if (this.#streams.size >= this.#streamsAtOnce || this.#nextStream > lastStream) return;
      this.#waiting.delete(stream);
      stream.id = this.#nextStream;
      this.#nextStream += 2;
      if (this.#nextStream > lastStream) this.#isLeaving = true;
      stream.widen(this.#initialWindow);
      this.#streams.set(stream.id, stream);
      this.#sendHeaders(stream);
    }
  }

  #sendHeaders(stream: Stream): void {
    const block = encodeHeaders(stream.requestHeaders, { isFirst: stream.id === 1 });
    const departure = (left: boolean) => stream.isSent = left;
    for (let at = 0; at < block.length; at += this.#frameBytes) {
      const payload = block.subarray(at, at + this.#frameBytes);
      const type = at === 0 ? frameTypes.headers : frameTypes.continuation;
      const flags = at + this.#frameBytes < block.length ? 0 : frameFlags.endHeaders;
      this.#output.push(
        encodeFrame({ type, flags, stream: stream.id, payload }),
        at === 0 ? departure : undefined,
      );
    }
  }

  /** Sends what there is to send, a frame of each stream in turn, as far as there is room. */
  #pump(): void {
    for (const stream of this.#sending) {
      if (this.#output.room <= 0) return;
      if (stream.id === 0) continue;
      this.#sending.delete(stream);
      if (!stream.canSend) continue; // it comes back when its window is widened
      const most = Math.min(this.#frameBytes, stream.sendWindow, this.#sendWindow);
      const { bytes, isLast } = stream.take(Math.max(most, 0));
      if (bytes.length > 0 || isLast) {
        this.#sendWindow -= bytes.length;
        const flags = isLast ? frameFlags.endStream : 0;
        const { length } = bytes;
        this.#output.push(encodeFrameHeader({ type: frameTypes.data, flags, stream: stream.id, length }));
        if (length > 0) this.#output.push(bytes);
        if (stream.canSend) this.#sending.add(stream); // behind the others
      } else {
        this.#stalled.add(stream);
      }
    }
  }

  /** Lets those go on that had to wait for the window of the connection. */
  #resume(): void {
    for (const stream of this.#stalled) this.#sending.add(stream);
    this.#stalled.clear();
    this.#pump();
  }

  #leave(stream: Stream, code: number | undefined): void {
    this.#waiting.delete(stream);
    this.#streams.delete(stream.id);
    this.#sending.delete(stream);
    this.#stalled.delete(stream);
    if (this.#isClosed) return;
    if (code !== undefined && stream.id > 0) {
      this.#output.push(encodeNumbers(frameTypes.reset, stream.id, code));
    }
    this.#begin();
    this.#pump();
    if (!this.#isIdle) return;
    if (this.#isLeaving) this.#end(new Http2Error("the connection is closed"));
    else this.rest();
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(readBytes);
    const reader = new FrameReader(this.#sink);
    try {
      for (;;) {
        const length = await this.#receive(buffer);
        reader.push(buffer.subarray(0, length));
        if (this.#isClosed) return;
      }
    } catch (error) {
      if (this.#isClosed) return;
      const canTell = error instanceof ProtocolError && !this.#output.isBusy;
      this.#end(error, { keepsSocket: canTell });
      if (canTell) await this.#sayGoodbye();
    }
  }

  async #receive(buffer: Uint8Array): Promise<number> {
    let length: number | null;
    try {
      length = await this.#socket.read(buffer);
    } catch (cause) {
      throw new Http2Error(messageOf(cause), { cause });
    }
    if (length === null) throw new Http2Error("closed by the other side");
    return length;
  }

  /** Tells the server that it made a mistake. */
  async #sayGoodbye(): Promise<void> {
    const last = encodeNumbers(frameTypes.goAway, 0, 0, errorCodes.protocol);
    await this.#socket.write(last).catch(() => {}); // it may be gone
    this.#socket.close();
  }

  /** Ends everything, and each call with what is known of it. */
  #end(reason: unknown, { keepsSocket = false } = {}): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isLeaving = true;
    this.#greeting.reject(reason);
    for (const stream of [...this.#streams.values(), ...this.#waiting]) {
      stream.fail(reason instanceof Http2Error ? reason.forCall({ notSent: !stream.isSent }) : reason);
    }
    if (!keepsSocket) this.#socket.close();
  }

  readonly #sink: FrameSink = {
    begin: (header) => {
      this.#check(header);
      if (header.type === frameTypes.data) this.#streams.get(header.stream)?.expect(header.length);
    },
    data: ({ stream }, part) => this.#streams.get(stream)?.receiveData(part),
    end: (header, payload) => this.#take(header, payload),
  };

  #check({ type, flags, stream, length }: FrameHeader): void {
    const isReply = (flags & frameFlags.acknowledgement) !== 0;
    if (!this.#isGreeted && (type !== frameTypes.settings || isReply)) throw new ProtocolError("no greeting");
    const isContinued = this.#block !== undefined;
    if (
      isContinued !== (type === frameTypes.continuation) ||
      isContinued && stream !== this.#block!.header.stream
    ) {
      throw new ProtocolError("headers that are interrupted");
    }
    const shape = shapes[type];
    if (shape === undefined) return;
    const { isOfStream, bytes } = shape;
    if (isOfStream !== undefined && isOfStream !== stream > 0) {
      throw new ProtocolError("a frame out of place");
    }
    if (bytes !== undefined && length !== bytes) throw new ProtocolError("a frame of the wrong size");
    if (isOfStream && type !== frameTypes.priority && this.#isUnknown(stream)) {
      throw new ProtocolError("a frame for a call that never was");
    }
  }

  /** Whether no call ever had this id; one that did may have ended meanwhile. */
  #isUnknown(stream: number): boolean {
    return stream % 2 === 0 || stream >= this.#nextStream;
  }

  #take(header: FrameHeader, payload: Uint8Array): void {
    switch (header.type) {
      case frameTypes.data:
        return this.#takeData(header, payload);
      case frameTypes.headers:
        return this.#takeHeaders(header, withoutPriority(header, unpadded(header, payload)));
      case frameTypes.continuation:
        return this.#takeHeaders({ ...this.#block!.header, flags: header.flags }, payload);
      case frameTypes.reset:
        return this.#takeReset(header, numberAt(payload, 0));
      case frameTypes.settings:
        return this.#takeSettings(header, payload);
      case frameTypes.ping:
        if ((header.flags & frameFlags.acknowledgement) === 0) {
          this.#output.push(encodeFrame({ ...header, flags: frameFlags.acknowledgement, payload }));
        }
        return;
      case frameTypes.goAway:
        return this.#takeGoAway(payload);
      case frameTypes.windowUpdate:
        return this.#takeWindowUpdate(header, numberAt(payload, 0) & largestWindow);
      case frameTypes.pushPromise:
        throw new ProtocolError("a push that nobody allowed");
    }
  }

  #takeData(header: FrameHeader, payload: Uint8Array): void {
    const stream = this.#streams.get(header.stream);
    if (payload.length > 0) stream?.receiveData(unpadded(header, payload));
    stream?.receiveEnd((header.flags & frameFlags.endStream) !== 0);
    // The connection's window is none of the readers' business: one that takes its time must not hold up others.
    this.#owed += header.length;
    if (this.#owed < connectionWindow / 2) return;
    this.#output.push(encodeNumbers(frameTypes.windowUpdate, 0, this.#owed));
    this.#owed = 0;
  }

  #takeHeaders(header: FrameHeader, payload: Uint8Array): void {
    const isWhole = (header.flags & frameFlags.endHeaders) !== 0;
    let block = payload;
    if (!isWhole || this.#block !== undefined) {
      this.#block ??= { header, parts: [], bytes: 0 };
      this.#block.parts.push(payload.slice());
      this.#block.bytes += frameHeaderBytes + payload.length;
      if (this.#block.bytes > headerListBytes) {
        throw new ProtocolError(`headers of over ${headerListBytes} bytes`);
      }
      if (!isWhole) return;
      block = joined(this.#block.parts);
    }
    const { flags, stream } = this.#block?.header ?? header;
    this.#block = undefined;
    const headers = this.#headers.decode(block);
    this.#streams.get(stream)?.receiveHeaders(headers, (flags & frameFlags.endStream) !== 0);
  }

  #takeReset({ stream }: FrameHeader, code: number): void {
    const notSent = code === errorCodes.refusedStream;
    this.#streams.get(stream)?.fail(new Http2Error(`the call was reset: ${errorName(code)}`, { notSent }));
  }

  #takeSettings({ flags }: FrameHeader, payload: Uint8Array): void {
    if (flags & frameFlags.acknowledgement) return;
    if (payload.length % 6 !== 0) throw new ProtocolError("a frame of the wrong size");
    for (let at = 0; at < payload.length; at += 6) {
      this.#set(payload[at]! << 8 | payload[at + 1]!, numberAt(payload, at + 2));
    }
    this.#output.push(
      encodeFrame({
        type: frameTypes.settings,
        flags: frameFlags.acknowledgement,
        payload: new Uint8Array(),
      }),
    );
    this.#isGreeted = true;
    this.#greeting.resolve();
    this.#begin();
    this.#pump();
  }

  #set(setting: number, value: number): void {
    switch (setting) {
      case settingNumbers.maxConcurrentStreams:
        this.#streamsAtOnce = value;
        return;
      case settingNumbers.initialWindowSize: {
        if (value > largestWindow) throw new ProtocolError("a window too large");
        for (const stream of this.#streams.values()) {
          stream.widen(value - this.#initialWindow);
          this.#sending.add(stream);
        }
        this.#initialWindow = value;
        return;
      }
      case settingNumbers.maxFrameSize:
        if (value < usualFrameBytes || value >= 2 ** 24) throw new ProtocolError("a frame size out of range");
        this.#frameBytes = value;
    }
  }

  /** The server closes the connection, when it has answered the calls up to one. */
  #takeGoAway(payload: Uint8Array): void {
    if (payload.length < 8) throw new ProtocolError("a frame of the wrong size");
    const last = numberAt(payload, 0) & lastStream;
    this.#isLeaving = true;
    for (const stream of [...this.#streams.values(), ...this.#waiting]) {
      if (stream.id !== 0 && stream.id <= last) continue;
      stream.fail(new Http2Error("the server closes the connection", { notSent: true }));
    }
    if (this.#isIdle) this.#end(new Http2Error("the server closes the connection"));
  }

  #takeWindowUpdate({ stream: id }: FrameHeader, bytes: number): void {
    if (bytes === 0) throw new ProtocolError("a window that gets no wider");
    if (id === 0) {
      this.#sendWindow += bytes;
      if (this.#sendWindow > largestWindow) throw new ProtocolError("a window too large");
      return this.#resume();
    }
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    stream.widen(bytes);
    this.#sending.add(stream);
    this.#pump();
  }
}

/** Where frames belong, and their sizes, as far as a type prescribes them. */
const shapes: Readonly<Record<number, { isOfStream?: boolean; bytes?: number }>> = {
  [frameTypes.data]: { isOfStream: true },
  [frameTypes.headers]: { isOfStream: true },
  [frameTypes.priority]: { isOfStream: true, bytes: 5 },
  [frameTypes.reset]: { isOfStream: true, bytes: 4 },
  [frameTypes.settings]: { isOfStream: false },
  [frameTypes.ping]: { isOfStream: false, bytes: 8 },
  [frameTypes.goAway]: { isOfStream: false },
  [frameTypes.windowUpdate]: { bytes: 4 },
  [frameTypes.continuation]: { isOfStream: true },
};

const priorityBytes = 5;

function withoutPriority({ flags }: FrameHeader, payload: Uint8Array): Uint8Array {
  if ((flags & frameFlags.priority) === 0) return payload;
  if (payload.length < priorityBytes) throw new ProtocolError("a frame of the wrong size");
  return payload.subarray(priorityBytes);
}

function joined(parts: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
