/** One connection of HTTP/2, the client's side: RFC 9113. */
import {
  checkShape,
  encodeFrame,
  encodeNumbers,
  encodeSettings,
  errorCodes,
  errorName,
  frameFlags,
  type FrameHeader,
  FrameReader,
  type FrameSink,
  frameTypes,
  largestWindow,
  numberAt,
  preface,
  readSettings,
  settingNumbers,
  unpadded,
  usualFrameBytes,
  usualWindow,
} from "./frames.ts";
import { HeaderBlocks } from "./header_blocks.ts";
import type { Header } from "./hpack.ts";
import { Http2Error, ProtocolError } from "./http2_error.ts";
import { Output } from "./output.ts";
import { Sender } from "./sender.ts";
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
  readonly #sender: Sender;
  readonly #carrier: Carrier;
  readonly #headers = new HeaderBlocks({ listBytes: headerListBytes });
  readonly #reading: Promise<void>;
  readonly #greeting = Promise.withResolvers<void>();
  #isGreeted = false;
  /** Takes no more streams. */
  #isLeaving = false;
  #isClosed = false;
  #nextStream = 1;
  /** Bytes of answers that the server does not know to have come. */
  #owed = 0;
  /** What the server says of itself. */
  #initialWindow = usualWindow;
  #streamsAtOnce = Infinity;

  constructor(socket: Deno.Conn) {
    this.#socket = socket;
    this.greeted = this.#greeting.promise;
    this.greeted.catch(() => {}); // not everybody waits for it
    this.#output = new Output(socket, {
      drained: () => this.#sender.pump(),
      failed: (cause) => this.#end(new Http2Error(messageOf(cause), { cause })),
    });
    this.#sender = new Sender(this.#output);
    this.#carrier = {
      send: (stream) => this.#sender.add(stream),
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
      if (this.#streams.size >= this.#streamsAtOnce || this.#isLeaving) return;
      this.#waiting.delete(stream);
      stream.id = this.#nextStream;
      this.#nextStream += 2;
      stream.widen(this.#initialWindow);
      this.#streams.set(stream.id, stream);
      this.#sender.begin(stream);
      if (this.#nextStream > lastStream) this.#takeNoMore("the connection is used up");
    }
  }

  /** Carries nothing any more but what has begun, with an id up to `last`. */
  #takeNoMore(why: string, last: number = lastStream): void {
    this.#isLeaving = true;
    for (const stream of [...this.#waiting, ...this.#streams.values()]) {
      if (stream.id !== 0 && stream.id <= last) continue;
      stream.fail(new Http2Error(why, { notSent: true }));
    }
    if (this.#isIdle) this.#end(new Http2Error(why));
  }

  #leave(stream: Stream, code: number | undefined): void {
    this.#waiting.delete(stream);
    this.#streams.delete(stream.id);
    this.#sender.remove(stream);
    if (this.#isClosed) return;
    if (code !== undefined && stream.id > 0) {
      this.#output.push(encodeNumbers(frameTypes.reset, stream.id, code));
    }
    this.#begin();
    this.#sender.pump();
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

  #check(header: FrameHeader): void {
    const { type, flags, stream } = header;
    const isReply = (flags & frameFlags.acknowledgement) !== 0;
    if (!this.#isGreeted && (type !== frameTypes.settings || isReply)) throw new ProtocolError("no greeting");
    this.#headers.check(header);
    checkShape(header);
    const isOfCall = stream > 0 && type <= frameTypes.continuation && type !== frameTypes.priority;
    if (isOfCall && this.#isUnknown(stream)) throw new ProtocolError("a frame for a call that never was");
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
      case frameTypes.continuation:
        return this.#takeHeaders(header, payload);
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
    const block = this.#headers.take(header, payload);
    if (block) this.#streams.get(block.stream)?.receiveHeaders(block.headers, block.isEnd);
  }

  #takeReset({ stream }: FrameHeader, code: number): void {
    const notSent = code === errorCodes.refusedStream;
    this.#streams.get(stream)?.fail(new Http2Error(`the call was reset: ${errorName(code)}`, { notSent }));
  }

  #takeSettings({ flags }: FrameHeader, payload: Uint8Array): void {
    if (flags & frameFlags.acknowledgement) return;
    for (const { setting, value } of readSettings(payload)) this.#set(setting, value);
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
    this.#sender.pump();
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
          this.#sender.add(stream);
        }
        this.#initialWindow = value;
        return;
      }
      case settingNumbers.maxFrameSize:
        if (value < usualFrameBytes || value >= 2 ** 24) throw new ProtocolError("a frame size out of range");
        this.#sender.frameBytes = value;
    }
  }

  /** The server closes the connection, when it has answered the calls up to one. */
  #takeGoAway(payload: Uint8Array): void {
    if (payload.length < 8) throw new ProtocolError("a frame of the wrong size");
    const last = numberAt(payload, 0) & lastStream;
    this.#takeNoMore("the server closes the connection", last);
  }

  #takeWindowUpdate({ stream: id }: FrameHeader, bytes: number): void {
    if (bytes === 0) throw new ProtocolError("a window that gets no wider");
    if (id === 0) return this.#sender.widen(bytes);
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    stream.widen(bytes);
    this.#sender.add(stream);
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
