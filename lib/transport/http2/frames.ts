/** The frames of HTTP/2: RFC 9113, sections 4 and 6. */
import { ProtocolError } from "./http2_error.ts";

export const frameTypes = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const frameFlags = {
  endStream: 0x1,
  acknowledgement: 0x1,
  endHeaders: 0x4,
  padded: 0x8,
  priority: 0x20,
} as const;

/** Section 7, in the order of their numbers. */
const errorNames = [
  "NO_ERROR",
  "PROTOCOL_ERROR",
  "INTERNAL_ERROR",
  "FLOW_CONTROL_ERROR",
  "SETTINGS_TIMEOUT",
  "STREAM_CLOSED",
  "FRAME_SIZE_ERROR",
  "REFUSED_STREAM",
  "CANCEL",
  "COMPRESSION_ERROR",
  "CONNECT_ERROR",
  "ENHANCE_YOUR_CALM",
  "INADEQUATE_SECURITY",
  "HTTP_1_1_REQUIRED",
];

/** Those that say more than that something is wrong. */
export const errorCodes = { noError: 0, protocol: 1, flowControl: 3, refusedStream: 7, cancel: 8 } as const;

/** The name of an error code in words, or its number. */
export function errorName(code: number): string {
  return errorNames[code] ?? `error ${code}`;
}

export const settingNumbers = {
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;

/** What a client sends before its first frame. */
export const preface: Uint8Array = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** The largest payload that everybody takes; more must be agreed on. */
export const usualFrameBytes = 16_384;

/** The size of all windows until it is changed. */
export const usualWindow = 65_535;

/** The largest size of a window. */
export const largestWindow = 2 ** 31 - 1;

export const frameHeaderBytes = 9;

/** What stands before the payload of a frame. */
export interface FrameHeader {
  length: number;
  type: number;
  flags: number;
  stream: number;
}

/** The header of a frame whose payload goes after it. */
export function encodeFrameHeader({ length, type, flags, stream }: FrameHeader): Uint8Array<ArrayBuffer> {
  return writeHeader(new Uint8Array(frameHeaderBytes), { length, type, flags, stream });
}

/** A whole frame. */
export function encodeFrame(
  { type, flags = 0, stream = 0, payload }: Partial<FrameHeader> & { type: number; payload: Uint8Array },
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(frameHeaderBytes + payload.length);
  bytes.set(payload, frameHeaderBytes);
  return writeHeader(bytes, { length: payload.length, type, flags, stream });
}

/** A whole frame whose payload is a row of 32-bit numbers. */
export function encodeNumbers(type: number, stream: number, ...numbers: number[]): Uint8Array<ArrayBuffer> {
  const payload = new Uint8Array(4 * numbers.length);
  const view = new DataView(payload.buffer);
  numbers.forEach((number, index) => view.setUint32(4 * index, number));
  return encodeFrame({ type, stream, payload });
}

/** A whole frame of settings. */
export function encodeSettings(
  settings: Partial<Record<keyof typeof settingNumbers, number>>,
): Uint8Array<ArrayBuffer> {
  const entries = Object.entries(settings) as [keyof typeof settingNumbers, number][];
  const payload = new Uint8Array(6 * entries.length);
  const view = new DataView(payload.buffer);
  for (const [index, [name, value]] of entries.entries()) {
    view.setUint16(6 * index, settingNumbers[name]);
    view.setUint32(6 * index + 2, value);
  }
  return encodeFrame({ type: frameTypes.settings, payload });
}

/** The settings of a frame, in order. */
export function readSettings(payload: Uint8Array): { setting: number; value: number }[] {
  if (payload.length % 6 !== 0) throw new ProtocolError("a frame of the wrong size");
  const settings = [];
  for (let at = 0; at < payload.length; at += 6) {
    settings.push({ setting: payload[at]! << 8 | payload[at + 1]!, value: numberAt(payload, at + 2) });
  }
  return settings;
}

/** The 32-bit number at an offset of a payload. */
export function numberAt(payload: Uint8Array, offset: number): number {
  return (payload[offset]! << 24 | payload[offset + 1]! << 16 | payload[offset + 2]! << 8 |
    payload[offset + 3]!) >>> 0;
}

/** The payload of a frame without its padding. */
export function unpadded({ flags }: FrameHeader, payload: Uint8Array): Uint8Array {
  if ((flags & frameFlags.padded) === 0) return payload;
  const padding = payload[0];
  if (padding === undefined || padding >= payload.length) {
    throw new ProtocolError("padding without a payload");
  }
  return payload.subarray(1, payload.length - padding);
}

/** All bytes of the parts, one after the other. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  if (parts.length === 1) return only!;
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Takes frames as they come in. What it gets of their bytes is only good until it returns. */
export interface FrameSink {
  /** A frame begins; whatever is wrong with it is to be thrown here already. */
  begin(header: FrameHeader): void;
  /** A part of a DATA frame without padding. */
  data(header: FrameHeader, part: Uint8Array): void;
  /** A frame ends; of a DATA frame without padding, the payload has been handed over before. */
  end(header: FrameHeader, payload: Uint8Array): void;
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

/** @throws {ProtocolError} when a frame of the type belongs elsewhere, or has another size. */
export function checkShape({ type, stream, length }: FrameHeader): void {
  const { isOfStream, bytes } = shapes[type] ?? {};
  if (isOfStream !== undefined && isOfStream !== stream > 0) throw new ProtocolError("a frame out of place");
  if (bytes !== undefined && length !== bytes) throw new ProtocolError("a frame of the wrong size");
}

const nothing = new Uint8Array();

/** Finds the frames in what is read from a connection, wherever the reads part them. */
export class FrameReader {
  readonly #sink: FrameSink;
  /** The beginning of a frame header, or of a payload that is to be handed over as a whole. */
  #gathered = new Uint8Array(usualFrameBytes);
  #length = 0;
  #header: FrameHeader | undefined;
  #missing = 0;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** @throws what the sink throws, and {@linkcode ProtocolError} when a frame is larger than agreed on. */
  push(bytes: Uint8Array): void {
    let at = 0;
    for (;;) {
      const rest = bytes.length - at;
      if (this.#header === undefined) {
        if (rest === 0) return;
        const taken = Math.min(frameHeaderBytes - this.#length, rest);
        const whole = this.#take(bytes.subarray(at, at + taken), frameHeaderBytes);
        at += taken;
        if (whole === undefined) return;
        this.#begin(readHeader(whole));
        continue;
      }
      const header = this.#header;
      const taken = Math.min(this.#missing, rest);
      const part = bytes.subarray(at, at + taken);
      at += taken;
      this.#missing -= taken;
      if (isHandedOverInParts(header)) {
        if (taken > 0) this.#sink.data(header, part);
        if (this.#missing > 0) return;
        this.#end(header, nothing);
      } else {
        const whole = this.#take(part, header.length);
        if (whole === undefined) return;
        this.#end(header, whole);
      }
    }
  }

  #begin(header: FrameHeader): void {
    if (header.length > usualFrameBytes) throw new ProtocolError(`a frame of ${header.length} bytes`);
    this.#sink.begin(header);
    this.#header = header;
    this.#missing = header.length;
  }

  #end(header: FrameHeader, payload: Uint8Array): void {
    this.#header = undefined;
    this.#sink.end(header, payload);
  }

  /** So many bytes, once all of them are there; copied only if they came in pieces. */
  #take(part: Uint8Array, length: number): Uint8Array | undefined {
    if (part.length === length) return part;
    this.#gathered.set(part, this.#length);
    this.#length += part.length;
    if (this.#length < length) return undefined;
    this.#length = 0;
    return this.#gathered.subarray(0, length);
  }
}

function isHandedOverInParts({ type, flags }: FrameHeader): boolean {
  return type === frameTypes.data && (flags & frameFlags.padded) === 0;
}

function readHeader(bytes: Uint8Array): FrameHeader {
  return {
    length: numberAt(bytes, 0) >>> 8,
    type: bytes[3]!,
    flags: bytes[4]!,
    stream: numberAt(bytes, 5) & 0x7fffffff,
  };
}

function writeHeader(
  bytes: Uint8Array<ArrayBuffer>,
  { length, type, flags, stream }: FrameHeader,
): Uint8Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length << 8 | type);
  view.setUint8(4, flags);
  view.setUint32(5, stream);
  return bytes;
}
