import { createTarPacker, type TarHeader } from "modern-tar";

export type Bytes = Uint8Array<ArrayBuffer>;

/** What a descriptor says about a blob, as the OCI image specification has it. */
export interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
  platform?: Platform;
  annotations?: Record<string, string>;
}

export interface Platform {
  os: string;
  architecture: string;
}

/** A member of a tar archive. */
export interface TarEntry {
  header: TarHeader;
  body?: string | Bytes | ReadableStream<Bytes>;
}

/** What a layer holds. */
export interface LayerSpec {
  entries: TarEntry[];
  /** @default "gzip" */
  compression?: "gzip" | "none";
}

export interface Layer {
  descriptor: Descriptor;
  /** Digest of the layer before compression. */
  diffId: string;
  bytes: Bytes;
}

const CHUNK_BYTES = 1 << 20;

export async function buildLayer({ entries, compression = "gzip" }: LayerSpec): Promise<Layer> {
  const tar = await collect(tarStream(entries));
  const bytes = compression === "none" ? tar : await gzip(tar);
  const mediaType = `application/vnd.oci.image.layer.v1.tar${compression === "none" ? "" : "+gzip"}`;
  return { descriptor: await describe(mediaType, bytes), diffId: await sha256(tar), bytes };
}

/** A layer with one file that does not compress; equal seeds give equal layers. */
export async function randomLayer(bytes: number, seed: number): Promise<Layer> {
  const body = await collect(ReadableStream.from(randomChunks(bytes, seed)));
  return await buildLayer({ entries: [{ header: { name: `data-${seed}`, size: bytes }, body }] });
}

/** Packs a tar whose bytes depend on the entries alone. */
export function tarStream(entries: Iterable<TarEntry>): ReadableStream<Bytes> {
  const { readable, controller } = createTarPacker();
  pack(entries, controller).catch((error) => controller.error(error));
  return readable;
}

async function pack(
  entries: Iterable<TarEntry>,
  controller: ReturnType<typeof createTarPacker>["controller"],
): Promise<void> {
  for (const { header, body } of entries) {
    const sink = controller.add({ mtime: new Date(0), ...header });
    await new Response(body ?? "").body?.pipeTo(sink);
  }
  controller.finalize();
}

/** Describes a blob of the given bytes. */
export async function describe(mediaType: string, bytes: Bytes): Promise<Descriptor> {
  return { mediaType, digest: await sha256(bytes), size: bytes.byteLength };
}

/** Digest of the given bytes, `sha256:<hex>`. */
export async function sha256(bytes: Bytes): Promise<string> {
  return `sha256:${new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex()}`;
}

export async function collect(stream: ReadableStream<Bytes>): Promise<Bytes> {
  return await new Response(stream).bytes();
}

/** Pseudo-random bytes in chunks; equal seeds give equal bytes. */
export function* randomChunks(length: number, seed: number): Generator<Bytes> {
  // xorshift32; the multiplication keeps the streams of neighbouring seeds apart.
  let state = Math.imul(seed + 1, 0x9e3779b1) || 1;
  for (let left = length; left > 0; left -= CHUNK_BYTES) {
    const size = Math.min(left, CHUNK_BYTES);
    const words = new Uint32Array(Math.ceil(size / 4));
    for (let index = 0; index < words.length; index++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      words[index] = state;
    }
    yield new Uint8Array(words.buffer, 0, size);
  }
}

async function gzip(bytes: Bytes): Promise<Bytes> {
  return await collect(ReadableStream.from([bytes]).pipeThrough(new CompressionStream("gzip")));
}
