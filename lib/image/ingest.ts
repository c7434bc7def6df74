import type { Content } from "../content.ts";
import type { Written } from "../content_write.ts";
import { FailedPreconditionError } from "../errors.ts";
import { isContentDigest } from "../oci/descriptor.ts";
import { maxDocumentBytes } from "../oci/json.ts";
import { quoted } from "../oci/quoted.ts";
import { itemName, type ItemProgress, type ItemState } from "../progress.ts";
import type { CallOptions } from "../transport/transport.ts";
import type { ArchiveFile, ArchiveMember } from "./archive.ts";

/** A blob that came with an archive. */
export interface ArchiveBlob extends Written {
  /** Bytes. */
  size: number;
}

/** What an archive holds, with its blobs in containerd. */
export interface ArchiveContents {
  /** The files that say what the others are, by name: `index.json`. */
  descriptions: ReadonlyMap<string, Uint8Array>;
  /** All other files, by name. */
  files: ReadonlyMap<string, ArchiveBlob>;
  /** Other names of files. */
  links: ReadonlyMap<string, string>;
}

const descriptionNames: ReadonlySet<string> = new Set(["oci-layout", "index.json", "manifest.json"]);

/**
 * Writes every file of an archive that can be a blob into containerd, as it comes: only at the end is known what is
 * needed. The lease of `content` holds it all until then.
 *
 * @throws {SyntaxError} when a file is not what its name says, or too large to describe the others.
 */
export async function ingestMembers(
  content: Content,
  members: AsyncIterable<ArchiveMember>,
  { onItem = () => {}, ...options }: CallOptions & { onItem?: ((item: ItemProgress) => void) | undefined } =
    {},
): Promise<ArchiveContents> {
  const descriptions = new Map<string, Uint8Array>();
  const files = new Map<string, ArchiveBlob>();
  const links = new Map<string, string>();
  const run = crypto.randomUUID();
  for await (const member of members) {
    const { name } = member;
    if ("linksTo" in member) {
      links.set(name, member.linksTo);
    } else if (descriptionNames.has(name)) {
      descriptions.set(name, await readDescription(member));
    } else {
      const ref = `davit-import-${run}-${files.size}`;
      const file = watched(member, onItem);
      const written = await write(content, file, { ref, ...options });
      files.set(name, { size: member.size, ...written });
      onItem({ ...itemOf(member), state: stateOf(member, written), done: member.size });
    }
  }
  return { descriptions, files, links };
}

/** The same file, whose bytes are reported as they are taken. */
function watched({ body, ...file }: ArchiveFile, onItem: (item: ItemProgress) => void): ArchiveFile {
  async function* pieces(): AsyncIterable<Uint8Array> {
    let done = 0;
    for await (const piece of body) {
      yield piece;
      done += piece.length;
      onItem({ ...itemOf(file), state: "writing", done });
    }
  }
  return { ...file, body: pieces() };
}

function itemOf({ name, size }: Pick<ArchiveFile, "name" | "size">): Omit<ItemProgress, "state"> {
  const digest = digestIn(name);
  // What a blob is, and of which image, is known at the end only.
  return {
    image: "archive",
    name: digest === undefined ? name : itemName({ mediaType: "", digest }),
    total: size,
  };
}

function stateOf({ size }: ArchiveFile, { existed, sentBytes }: Written): ItemState {
  if (existed) return "exists";
  return sentBytes === 0 && size > 0 ? "shared" : "done";
}

async function write(
  content: Content,
  { name, size, body }: ArchiveFile,
  { ref, ...options }: CallOptions & { ref: string },
): Promise<Written> {
  const digest = digestIn(name);
  if (digest === undefined) return await content.ingest({ ref, size }, body, options);
  try {
    return await content.write({ digest, size }, (offset) => from(offset, body), options);
  } catch (error) {
    if (!(error instanceof FailedPreconditionError)) throw error;
    throw new SyntaxError(`Cannot read archive: the bytes of ${quoted(name)} have another digest`, {
      cause: error,
    });
  }
}

/** The digest that a file of an OCI layout is named by. */
function digestIn(name: string): string | undefined {
  const [, algorithm, encoded] = /^blobs\/([^/]+)\/([^/]+)$/.exec(name) ?? [];
  const digest = `${algorithm}:${encoded}`;
  return isContentDigest(digest) ? digest : undefined;
}

async function* from(offset: number, bytes: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let skip = offset;
  for await (const piece of bytes) {
    if (skip < piece.length) yield piece.subarray(skip);
    skip = Math.max(0, skip - piece.length);
  }
}

async function readDescription({ name, size, body }: ArchiveFile): Promise<Uint8Array> {
  if (size > maxDocumentBytes) {
    throw new SyntaxError(
      `Cannot read archive: ${quoted(name)} has ${size} bytes, more than the limit of ${maxDocumentBytes}`,
    );
  }
  const bytes = new Uint8Array(size);
  let length = 0;
  for await (const piece of body) {
    bytes.set(piece, length);
    length += piece.length;
  }
  return bytes;
}
