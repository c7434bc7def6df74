import type { ParsedTarEntry } from "modern-tar";
import { quoted } from "../oci/quoted.ts";

/** A member of an archive: a file, or another name for one. */
export type ArchiveMember = ArchiveFile | ArchiveLink;

/** A file in an archive; its bytes can be read until the next member is asked for. */
export interface ArchiveFile {
  /** Relative, without `.` and `..`. */
  name: string;
  /** Bytes. */
  size: number;
  body: AsyncIterable<Uint8Array>;
}

/** A symbolic link to a name in the archive. */
export interface ArchiveLink {
  name: string;
  linksTo: string;
}

/** How to read an archive. */
export interface ArchiveOptions {
  signal?: AbortSignal | undefined;
  /** Called with the number of bytes of each piece that was read. */
  onRead?: ((bytes: number) => void) | undefined;
}

const maxMembers = 100_000;
const maxNameLength = 255;

/** Given more at once, Deno would unpack a bomb to hundreds of megabytes in one piece. */
const packedPieceBytes = 16 * 1024;

/**
 * Reads a tar archive, plain or packed with gzip, no faster than the bytes of its files are taken. Nothing in it is
 * trusted: folders are passed over, and what no image needs (hard links, devices, names that lead outside or occur
 * twice) is refused.
 *
 * @throws {SyntaxError} when it is no such archive, breaks off, or holds what is refused.
 */
export async function* readArchive(
  source: ReadableStream<Uint8Array>,
  { signal, onRead }: ArchiveOptions = {},
): AsyncGenerator<ArchiveMember, void> {
  const input = new Input(source, onRead);
  const over = new AbortController();
  const cancel = () => over.abort(signal?.reason);
  signal?.addEventListener("abort", cancel);
  over.signal.addEventListener("abort", () => input.cancel());
  const explain = (error: unknown) => signal?.aborted ? signal.reason : input.failure ?? flaw(error);
  try {
    signal?.throwIfAborted();
    const { createTarDecoder } = await import("modern-tar"); // which most of davit's runs do not need
    const decoder = createTarDecoder({ strict: true });
    const plain = await unpacked(input);
    plain.pipeTo(decoder.writable, { signal: over.signal }).catch(() => {}); // the decoder passes it on
    yield* members(decoder.readable, explain);
  } catch (error) {
    throw explain(error);
  } finally {
    signal?.removeEventListener("abort", cancel);
    over.abort();
  }
}

async function* members(
  entries: ReadableStream<ParsedTarEntry>,
  explain: (error: unknown) => unknown,
): AsyncIterable<ArchiveMember> {
  const names = new Set<string>();
  let count = 0;
  for await (const { header, body } of entries) {
    if (++count > maxMembers) throw refusal(`more than ${maxMembers} members`);
    const name = inside(header.name);
    if (header.type !== "directory") {
      if (names.has(name)) throw refusal(`${quoted(name)} occurs twice`);
      names.add(name);
      yield memberOf(name, { header, body: explained(body, explain) });
    }
    // What nobody has read of it. To cancel it could starve the next member, which modern-tar may have begun.
    for await (const _rest of body);
  }
}

function memberOf(
  name: string,
  { header: { type, size, linkname }, body }: Pick<ParsedTarEntry, "header"> & Pick<ArchiveFile, "body">,
): ArchiveMember {
  if (type === "file") return { name, size, body };
  if (type !== "symlink") throw refusal(`${quoted(name)} is a ${type}`);
  return { name, linksTo: inside(linkname ?? "", { folder: name.split("/").slice(0, -1) }) };
}

/** A path without `.` and empty parts. Only that of a link, which starts in a folder, may go up. */
function inside(path: string, { folder }: { folder?: string[] } = {}): string {
  if (path.length > maxNameLength) {
    throw refusal(`${quoted(path)} has more than ${maxNameLength} characters`);
  }
  if (/[\p{Cc}\\]/u.test(path)) throw refusal(`${quoted(path)} holds characters that are not allowed`);
  const parts = path.startsWith("/") ? undefined : folder ? [...folder] : [];
  for (const part of path.split("/")) {
    const leaves = parts === undefined || (part === ".." && !(folder && parts.length > 0));
    if (leaves) throw refusal(`${quoted(path)} leads out of it`);
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts!.join("/");
}

const formats: readonly { name: string; magic: number[] }[] = [
  { name: "gzip", magic: [0x1f, 0x8b] },
  { name: "zstd", magic: [0x28, 0xb5, 0x2f, 0xfd] },
  { name: "xz", magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] },
  { name: "bzip2", magic: [0x42, 0x5a, 0x68] },
];

async function unpacked(input: Input): Promise<ReadableStream<Uint8Array>> {
  const start = await input.peek(6);
  if (start.length === 0) throw refusal("it is empty");
  const format = formats.find(({ magic }) => magic.every((byte, i) => byte === start[i]))?.name;
  if (format === undefined) return input.stream();
  if (format !== "gzip") throw refusal(`it is packed with ${format}; unpack it before, or pack it with gzip`);
  return input.stream(packedPieceBytes).pipeThrough(new DecompressionStream("gzip"));
}

/** The bytes of a source, whose start can be looked at, and whose failures are told from flaws in what it gives. */
class Input {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #onRead: ((bytes: number) => void) | undefined;
  readonly #peeked: Uint8Array[] = [];
  /** What reading the source failed with. */
  failure: unknown;

  constructor(source: ReadableStream<Uint8Array>, onRead?: (bytes: number) => void) {
    this.#reader = source.getReader();
    this.#onRead = onRead;
  }

  /** The first bytes, fewer at the end; they will be read again. */
  async peek(length: number): Promise<Uint8Array> {
    const start: number[] = [];
    while (start.length < length) {
      const piece = await this.#read();
      if (piece === undefined) break;
      this.#peeked.push(piece);
      start.push(...piece.subarray(0, length));
    }
    return Uint8Array.from(start);
  }

  /** All bytes, in pieces of at most so many. */
  stream(pieceBytes = Infinity): ReadableStream<Uint8Array<ArrayBuffer>> {
    let rest = new Uint8Array();
    return new ReadableStream({
      pull: async (controller) => {
        if (rest.length === 0) {
          const piece = this.#peeked.shift() ?? await this.#read();
          if (piece === undefined) return controller.close();
          rest = piece as Uint8Array<ArrayBuffer>; // no stream has shared memory
        }
        controller.enqueue(rest.subarray(0, pieceBytes));
        rest = rest.subarray(pieceBytes);
      },
    }, { highWaterMark: 0 });
  }

  /** Lets go of the source, without waiting for it. */
  cancel(): void {
    this.#reader.cancel().catch(() => {});
  }

  async #read(): Promise<Uint8Array | undefined> {
    try {
      const { value } = await this.#reader.read();
      if (value) this.#onRead?.(value.length);
      return value;
    } catch (error) {
      this.failure = error;
      throw error;
    }
  }
}

async function* explained(
  body: ReadableStream<Uint8Array>,
  explain: (error: unknown) => unknown,
): AsyncIterable<Uint8Array> {
  try {
    yield* body.values({ preventCancel: true });
  } catch (error) {
    throw explain(error);
  }
}

/** The decoders' complaints, in the form of ours. */
function flaw(error: unknown): unknown {
  if (error instanceof SyntaxError || !(error instanceof Error)) return error;
  const reason = error.message.replace(/\.$/, "").replace(/^[A-Z](?=[a-z])/, (first) => first.toLowerCase());
  return refusal(`damaged, or not a tar archive: ${reason}`, { cause: error });
}

function refusal(reason: string, options?: ErrorOptions): SyntaxError {
  return new SyntaxError(`Cannot read archive: ${reason}`, options);
}
