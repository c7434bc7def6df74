import type { Content } from "../content.ts";
import type { Written } from "../content_write.ts";
import { FailedPreconditionError } from "../errors.ts";
import { isContentDigest } from "../oci/descriptor.ts";
import { maxDocumentBytes } from "../oci/json.ts";
import { quoted } from "../oci/quoted.ts";
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
  options: CallOptions = {},
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
      files.set(name, { size: member.size, ...await write(content, member, { ref, ...options }) });
    }
  }
  return { descriptions, files, links };
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
