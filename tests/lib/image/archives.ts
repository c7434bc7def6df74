import { blobPath, type Image, parseJson } from "../../real/image_builder.ts";
import { type Bytes, collect, type Descriptor, type TarEntry, tarStream } from "../../real/layers.ts";

/** What a member of an archive is, in the letters of tar. */
export const typeflags = {
  file: "0",
  hardLink: "1",
  symlink: "2",
  device: "3",
  folder: "5",
  fifo: "6",
} as const;

/** A member as somebody with bad intentions writes it. */
export interface RawMember {
  name: string;
  type?: keyof typeof typeflags;
  linkname?: string;
  body?: Bytes;
  /** What the header says. @default the truth */
  size?: number;
}

/** A tar of members that a well-behaved packer would not write. */
export function rawArchive(members: Iterable<RawMember>): Bytes {
  const blocks = Array.from(members, (member) => [header(member), padded(member.body ?? new Uint8Array())]);
  return joined([...blocks.flat(), new Uint8Array(1024)]);
}

/** Files by name; what is neither text nor bytes becomes JSON. */
export type Files = Record<string, unknown>;

/** A tar of files, packed as usual. */
export async function archiveOf(files: Files, more: TarEntry[] = []): Promise<Bytes> {
  const entries = Object.entries(files).map(([name, content]) =>
    fileEntry(name, typeof content === "string" || isBytes(content) ? content : JSON.stringify(content))
  );
  return await collect(tarStream([...entries, ...more]));
}

/** The files of an OCI layout with one image, its descriptor changed as said. */
export function layoutFiles({ target, blobs }: Image, changed: Partial<Descriptor> = {}): Files {
  return {
    "oci-layout": { imageLayoutVersion: "1.0.0" },
    "index.json": { schemaVersion: 2, manifests: [{ ...target, ...changed }] },
    ...Object.fromEntries(Iterator.from(blobs).map(([digest, bytes]) => [blobPath(digest), bytes])),
  };
}

/** The files of what `docker save` wrote before it knew OCI layouts. */
export function dockerFiles({ target, blobs }: Image, RepoTags: string[] | null): Files {
  const { config, layers } = parseJson<{ config: Descriptor; layers: Descriptor[] }>(blobs, target);
  const Config = `${hexOf(config)}.json`;
  const Layers = layers.map((layer, i) => `${i}-${hexOf(layer)}/layer.tar`);
  return {
    [Config]: blobs.get(config.digest),
    ...Object.fromEntries(layers.map(({ digest }, i) => [Layers[i], blobs.get(digest)])),
    "manifest.json": [{ Config, RepoTags, Layers }],
  };
}

export function fileEntry(name: string, content: string | Bytes): TarEntry {
  const body = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return { header: { name, size: body.length }, body };
}

export async function gzip(bytes: Bytes): Promise<Bytes> {
  return await collect(streamOf(bytes).pipeThrough(new CompressionStream("gzip")));
}

/** The bytes in pieces of the given size. */
export function streamOf(bytes: Bytes, pieceBytes = 65536): ReadableStream<Bytes> {
  return ReadableStream.from(function* () {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.slice(at, at + pieceBytes);
  }());
}

export function joined(parts: Bytes[]): Bytes {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function header({ name, type = "file", linkname = "", body, size = body?.length ?? 0 }: RawMember): Bytes {
  const block = new Uint8Array(512);
  const put = (at: number, text: string) => block.set(new TextEncoder().encode(text), at);
  put(0, name);
  put(100, "0000644\0");
  put(124, `${size.toString(8).padStart(11, "0")}\0`);
  put(136, "00000000000\0");
  put(156, typeflags[type]);
  put(157, linkname);
  put(257, "ustar\x0000");
  put(148, "        ");
  const sum = block.reduce((sum, byte) => sum + byte, 0);
  put(148, `${sum.toString(8).padStart(6, "0")}\0 `);
  return block;
}

function padded(body: Bytes): Bytes {
  const blocks = new Uint8Array(Math.ceil(body.length / 512) * 512);
  blocks.set(body);
  return blocks;
}

function isBytes(content: unknown): content is Bytes {
  return content instanceof Uint8Array;
}

function hexOf({ digest }: Descriptor): string {
  return digest.slice(digest.indexOf(":") + 1);
}
