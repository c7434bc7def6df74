/** Compression of headers: RFC 7541. */
import { decodeHuffman } from "./huffman.ts";
import { ProtocolError } from "./http2_error.ts";

/** A header or pseudo-header; a character for each byte. */
export type Header = readonly [name: string, value: string];

/** The headers that have a number from the start (appendix A), the first is number 1. */
const fixed: readonly Header[] = [
  ":authority",
  ":method GET",
  ":method POST",
  ":path /",
  ":path /index.html",
  ":scheme http",
  ":scheme https",
  ":status 200",
  ":status 204",
  ":status 206",
  ":status 304",
  ":status 400",
  ":status 404",
  ":status 500",
  "accept-charset",
  "accept-encoding gzip, deflate",
  ..."accept-language accept-ranges accept access-control-allow-origin age allow authorization".split(" "),
  ..."cache-control content-disposition content-encoding content-language content-length".split(" "),
  ..."content-location content-range content-type cookie date etag expect expires from host".split(" "),
  ..."if-match if-modified-since if-none-match if-range if-unmodified-since last-modified link".split(" "),
  ..."location max-forwards proxy-authenticate proxy-authorization range referer refresh".split(" "),
  ..."retry-after server set-cookie strict-transport-security transfer-encoding user-agent".split(" "),
  ..."vary via www-authenticate".split(" "),
].map((text) => {
  const space = text.indexOf(" ");
  return space < 0 ? [text, ""] : [text.slice(0, space), text.slice(space + 1)];
});

/** What a header takes of a table or list besides its characters. */
const entryBytes = 32;

/** Limits of a {@linkcode HeaderDecoder}, in bytes. */
export interface HeaderLimits {
  /** Of the table of earlier headers, as the other side was told. Default: 4,096, as if it was told nothing. */
  tableBytes?: number;
  /** Of all headers of one block, as if each was written out. */
  listBytes: number;
}

/** Reads the header blocks of one connection, all of them and in order: each may refer to earlier ones. */
export class HeaderDecoder {
  /** The latest first. */
  readonly #table: Header[] = [];
  readonly #mostTableBytes: number;
  readonly #listBytes: number;
  #allowedBytes: number;
  #usedBytes = 0;

  constructor({ tableBytes = 4096, listBytes }: HeaderLimits) {
    this.#mostTableBytes = tableBytes;
    this.#allowedBytes = tableBytes;
    this.#listBytes = listBytes;
  }

  /** @throws {ProtocolError} when the block is malformed or its headers are too large; the connection is then lost. */
  decode(block: Uint8Array): Header[] {
    const reader = new BlockReader(block);
    const headers: Header[] = [];
    let bytes = 0;
    while (!reader.atEnd) {
      const first = reader.peek();
      if ((first & 0xe0) === 0x20) {
        if (headers.length > 0) {
          throw new ProtocolError("malformed headers: the size of the table changes midway");
        }
        this.#resize(reader.integer(5));
        continue;
      }
      const header = this.#header(first, reader);
      bytes += sizeOf(header);
      if (bytes > this.#listBytes) throw new ProtocolError(`headers of more than ${this.#listBytes} bytes`);
      headers.push(header);
    }
    return headers;
  }

  #header(first: number, reader: BlockReader): Header {
    if (first & 0x80) return this.#at(reader.integer(7));
    const isKept = (first & 0x40) !== 0;
    const number = reader.integer(isKept ? 6 : 4);
    const name = number === 0 ? reader.string() : this.#at(number)[0];
    const header = [name, reader.string()] as const;
    if (isKept) this.#keep(header);
    return header;
  }

  #at(number: number): Header {
    const header = number <= fixed.length ? fixed[number - 1] : this.#table[number - fixed.length - 1];
    if (header === undefined) throw new ProtocolError(`malformed headers: there is no number ${number}`);
    return header;
  }

  #keep(header: Header): void {
    this.#usedBytes += sizeOf(header);
    this.#table.unshift(header);
    this.#evict();
  }

  #resize(bytes: number): void {
    if (bytes > this.#mostTableBytes) throw new ProtocolError(`malformed headers: a table of ${bytes} bytes`);
    this.#allowedBytes = bytes;
    this.#evict();
  }

  #evict(): void {
    while (this.#usedBytes > this.#allowedBytes) this.#usedBytes -= sizeOf(this.#table.pop()!);
  }
}

/**
 * A block of headers that refers to none of an earlier one. The first of a connection says that none ever will, so
 * that the other side may allow a table of any size.
 */
export function encodeHeaders(headers: Iterable<Header>, { isFirst = false } = {}): Uint8Array<ArrayBuffer> {
  const bytes: number[] = isFirst ? [0x20] : [];
  for (const header of headers) {
    const { number, isWhole } = numberOf(header);
    if (isWhole) {
      writeInteger(bytes, number, { bits: 7, flags: 0x80 });
      continue;
    }
    writeInteger(bytes, number, { bits: 4, flags: 0 });
    if (number === 0) writeString(bytes, header[0]);
    writeString(bytes, header[1]);
  }
  return Uint8Array.from(bytes);
}

/** The number that a header has from the start, or its name, or 0. */
function numberOf([name, value]: Header): { number: number; isWhole: boolean } {
  let number = 0;
  for (let index = 0; index < fixed.length; index++) {
    const known = fixed[index]!;
    if (known[0] !== name) continue;
    if (known[1] === value) return { number: index + 1, isWhole: true };
    if (number === 0) number = index + 1;
  }
  return { number, isWhole: false };
}

function sizeOf([name, value]: Header): number {
  return name.length + value.length + entryBytes;
}

class BlockReader {
  readonly #block: Uint8Array;
  #at = 0;

  constructor(block: Uint8Array) {
    this.#block = block;
  }

  get atEnd(): boolean {
    return this.#at === this.#block.length;
  }

  peek(): number {
    return this.#block[this.#at] ?? brokenOff();
  }

  /** A number that begins in the last bits of a byte (section 5.1). */
  integer(bits: number): number {
    const most = (1 << bits) - 1;
    let value = this.#byte() & most;
    if (value < most) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new ProtocolError("malformed headers: a number too large");
  }

  string(): string {
    const isHuffman = (this.peek() & 0x80) !== 0;
    const length = this.integer(7);
    const end = this.#at + length;
    if (end > this.#block.length) brokenOff();
    const bytes = this.#block.subarray(this.#at, end);
    this.#at = end;
    if (isHuffman) return decodeHuffman(bytes);
    let text = "";
    for (let index = 0; index < bytes.length; index++) text += String.fromCharCode(bytes[index]!);
    return text;
  }

  #byte(): number {
    const byte = this.peek();
    this.#at++;
    return byte;
  }
}

function brokenOff(): never {
  throw new ProtocolError("malformed headers: they break off");
}

function writeInteger(
  bytes: number[],
  value: number,
  { bits, flags }: { bits: number; flags: number },
): void {
  const most = (1 << bits) - 1;
  if (value < most) {
    bytes.push(flags | value);
    return;
  }
  bytes.push(flags | most);
  for (value -= most; value >= 0x80; value >>>= 7) bytes.push(value & 0x7f | 0x80);
  bytes.push(value);
}

/** Characters beyond ASCII go as UTF-8, for the server to refuse in its own words. */
function writeString(bytes: number[], text: string): void {
  const beyond = text.search(/[^\0-\x7f]/) >= 0 ? new TextEncoder().encode(text) : undefined;
  writeInteger(bytes, beyond?.length ?? text.length, { bits: 7, flags: 0 });
  if (beyond) bytes.push(...beyond);
  else for (let index = 0; index < text.length; index++) bytes.push(text.charCodeAt(index));
}
