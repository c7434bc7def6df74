/** Images that are valid and that few have seen, and ways to change them. */
import { createHash } from "node:crypto";
import { zstdCompressSync } from "node:zlib";
import type { Fault } from "../../fault/http_proxy.ts";
import type { Image } from "../../real/image_builder.ts";
import { busyboxImage } from "../../real/images.ts";
import { type Bytes, collect, type Descriptor, type TarEntry, tarStream } from "../../real/layers.ts";
import { gzip, joined } from "./archives.ts";

const oci = "application/vnd.oci";
const manifestType = `${oci}.image.manifest.v1+json`;
const indexType = `${oci}.image.index.v1+json`;
const layerType = `${oci}.image.layer.v1.tar`;
const docker = "application/vnd.docker";
const amd64 = { os: "linux", architecture: "amd64" };

/** An image by the name of its repository. */
export type OddImage = Pick<Image, "target" | "blobs">;

interface OddLayer {
  mediaType: string;
  bytes: Bytes;
  diffId: string;
}

/** Blobs as they come, and what describes them. */
export class Blobs extends Map<string, Bytes> {
  put(mediaType: string, content: unknown, algorithm = "sha256"): Descriptor {
    const bytes = content instanceof Uint8Array
      ? content as Bytes
      : new TextEncoder().encode(typeof content === "string" ? content : JSON.stringify(content));
    const digest = `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
    this.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  }

  /** A manifest of layers; `change` may alter all that it says. */
  manifest(
    layers: OddLayer[],
    { algorithm, change = (manifest) => manifest }: {
      algorithm?: string | undefined;
      change?: ((manifest: { config: Descriptor; layers: Descriptor[] }) => unknown) | undefined;
    } = {},
  ): Descriptor {
    const config = this.put(`${oci}.image.config.v1+json`, {
      ...amd64,
      config: { Env: ["PATH=/bin"], OnBuild: null },
      rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
      "vnd.example": { deep: [1.5, null] },
    }, algorithm);
    const described = layers.map(({ mediaType, bytes }) => this.put(mediaType, bytes, algorithm));
    const manifest = { schemaVersion: 2, mediaType: manifestType, config, layers: described };
    return this.put(manifestType, change(manifest), algorithm);
  }

  index(manifests: unknown[]): Descriptor {
    return this.put(indexType, { schemaVersion: 2, mediaType: indexType, manifests });
  }
}

/** Images that run `cat /odd`, which says "odd", by the name of their repository. */
export async function runnableImages(): Promise<Record<string, OddImage>> {
  const busybox = await busyboxLayer();
  const odd = await layer([file("odd", "odd")]);
  const image = (layers: OddLayer[], change?: (manifest: { layers: Descriptor[] }) => unknown): OddImage => {
    const blobs = new Blobs();
    return { target: blobs.manifest(layers, { change }), blobs };
  };
  const indexOf = (children: (manifest: Descriptor, blobs: Blobs) => unknown[]): OddImage => {
    const blobs = new Blobs();
    return { target: blobs.index(children(blobs.manifest([busybox, odd]), blobs)), blobs };
  };
  const tar = await collect(tarStream([file("odd", "odd"), file("more", "m".repeat(3000))]));
  const members = await Promise.all([tar.slice(0, 700), tar.slice(700, 701), tar.slice(701)].map(gzip));
  const attestation = { "vnd.docker.reference.type": "attestation-manifest" };
  return {
    zstd: image([busybox, await layer([file("odd", "odd")], "zstd")]),
    plain: image([busybox, await layer([]), await layer([file("./odd", "odd")], "none")]),
    twice: image([busybox, odd, odd, busybox]),
    members: image([busybox, {
      mediaType: `${layerType}+gzip`,
      bytes: joined(members),
      diffId: sha256(tar),
    }]),
    whiteouts: image([
      busybox,
      await layer([file("odd", "old"), file("d/old", ""), file("gone", "")]),
      await layer([file(".wh.gone", ""), file("d/.wh..wh..opq", ""), file(".wh.never", "")]),
      await layer([file("odd", "odd")]),
    ]),
    names: image([busybox, await layer([file("odd", "odd"), ...oddFiles()])]),
    whitespace: image(
      [busybox, odd],
      (manifest) => `\r\n ${JSON.stringify({ ...manifest, unknown: [1e3] }, null, 3)}\n\n`,
    ),
    annotated: image([busybox, odd], (manifest) => ({
      ...manifest,
      mediaType: undefined,
      annotations: { "": "a", "new\nline": "\0", "__proto__": "\ud800", long: "x".repeat(3_900_000) },
      layers: manifest.layers.map((layer) => ({ ...layer, data: "AA==", artifactType: "a/b" })),
    })),
    mixed: image([busybox, odd], (manifest) => ({
      ...manifest,
      layers: manifest.layers.map((layer) => ({ ...layer, mediaType: `${docker}.image.rootfs.diff.tar` })),
    })),
    attested: indexOf((manifest, blobs) => [
      { ...manifest, platform: { os: "Linux", architecture: "x86_64" } },
      {
        ...blobs.manifest([], {
          change: (about) => ({ ...about, annotations: { predicate: "provenance" } }),
        }),
        platform: { os: "unknown", architecture: "unknown" },
        annotations: attestation,
      },
    ]),
    nested: indexOf((manifest, blobs) => [
      blobs.index([blobs.index([{ ...manifest, platform: amd64 }, { ...manifest, platform: amd64 }])]),
      blobs.put("application/vnd.example.note+json", { note: 1 }),
    ]),
  };
}

/** Artifacts: nothing that could run or be unpacked. */
export function artifacts(): Record<string, OddImage> {
  const artifact = (layers: (blobs: Blobs, config: Descriptor) => Descriptor[], more = {}): OddImage => {
    const blobs = new Blobs();
    const config = blobs.put(`${oci}.empty.v1+json`, "{}");
    const manifest = { schemaVersion: 2, mediaType: manifestType, artifactType: "a/b", config };
    return {
      target: blobs.put(manifestType, { ...manifest, layers: layers(blobs, config), ...more }),
      blobs,
    };
  };
  const subject = { mediaType: manifestType, digest: `sha256:${"a".repeat(64)}`, size: 500 };
  return {
    empty: artifact((_, config) => [config]),
    text: artifact((blobs) => [blobs.put("text/plain; charset=utf-8", "text")], { subject }),
    nothing: artifact((blobs) => [blobs.put("application/octet-stream", "")]),
  };
}

/** An image of busybox alone, whose manifest is changed, with digests of an algorithm. */
export async function changedImage(options: Parameters<Blobs["manifest"]>[1]): Promise<OddImage> {
  const blobs = new Blobs();
  return { target: blobs.manifest([await busyboxLayer()], options), blobs };
}

/** Serves images, whatever their digests, in place of a registry. */
export function serving(images: Record<string, OddImage>): Fault {
  return ({ method, path }) => {
    const [, name = "", kind, reference = ""] = /^\/v2\/([^/]+)\/(manifests|blobs)\/([^/?]+)$/.exec(path) ??
      [];
    const image = images[name];
    if (image === undefined || (method !== "GET" && method !== "HEAD")) return undefined;
    const digest = reference.includes(":") ? reference : image.target.digest;
    const bytes = image.blobs.get(digest);
    if (bytes === undefined) return new Response(null, { status: 404 });
    const type = digest === image.target.digest ? image.target.mediaType : manifestType;
    const headers = {
      "content-type": kind === "manifests" ? type : "application/octet-stream",
      "content-length": `${bytes.length}`,
      "docker-content-digest": digest,
    };
    return new Response(method === "HEAD" ? null : bytes, { headers });
  };
}

async function busyboxLayer(): Promise<OddLayer> {
  const { blobs, target } = await busyboxImage();
  const read = (digest: string) => JSON.parse(new TextDecoder().decode(blobs.get(digest)));
  const { config, layers: [{ mediaType, digest }] } = read(target.digest);
  return { mediaType, bytes: blobs.get(digest)!, diffId: read(config.digest).rootfs.diff_ids[0] };
}

async function layer(entries: TarEntry[], packed: "gzip" | "zstd" | "none" = "gzip"): Promise<OddLayer> {
  const tar = await collect(tarStream(entries));
  const diffId = sha256(tar);
  if (packed === "none") return { mediaType: layerType, bytes: tar, diffId };
  const bytes = packed === "gzip" ? await gzip(tar) : new Uint8Array(zstdCompressSync(tar));
  return { mediaType: `${layerType}+${packed}`, bytes, diffId };
}

function oddFiles(): TarEntry[] {
  const capability = "\x01\0\0\x02\0 \0\0\0\0\0\0\0\0\0\0\0\0\0\0";
  const long = `x/${"n".repeat(255)}`;
  return [
    { header: { name: "x/", size: 0, type: "directory", mode: 0o1777 } },
    file("x/capable", "c", { pax: { "SCHILY.xattr.security.capability": capability } }),
    file("x/setuid", "s", { mode: 0o4755, uid: 12345 }),
    file(long, "", { pax: { path: long } }),
    file("x/two\nlines", ""),
    file("x/\x1b[31m日本 🚢", ""),
    { header: { name: "x/device", size: 0, type: "character-device" } },
    { header: { name: "x/fifo", size: 0, type: "fifo" } },
    { header: { name: "x/hard", size: 0, type: "link", linkname: "odd" } },
    { header: { name: "x/out", size: 0, type: "symlink", linkname: "../../../../etc/passwd" } },
  ];
}

function file(name: string, body: string, header: Partial<TarEntry["header"]> = {}): TarEntry {
  return { header: { name, size: body.length, ...header }, body };
}

function sha256(bytes: Bytes): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
