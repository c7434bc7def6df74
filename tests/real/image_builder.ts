import {
  type Bytes,
  describe,
  type Descriptor,
  type Layer,
  type Platform,
  type TarEntry,
  tarStream,
} from "./layers.ts";

/** An image, or as much of it as there is. */
export interface Image {
  /** Full reference, such as `docker.io/library/busybox:latest`. */
  name: string;
  /** Descriptor of the manifest or index. */
  target: Descriptor;
  /** The bytes of every blob, by digest. */
  blobs: Map<string, Bytes>;
}

export interface ImageSpec {
  name: string;
  layers: Layer[];
  /** @default linux/amd64 */
  platform?: Platform;
  /** The part of the image's configuration that a container starts with. */
  config?: ImageConfig;
}

/** In OCI's words. */
export interface ImageConfig {
  Entrypoint?: string[];
  Cmd?: string[];
  Env?: string[];
  WorkingDir?: string;
  User?: string;
  StopSignal?: string;
  Labels?: Record<string, string>;
}

const CONFIG = "application/vnd.oci.image.config.v1+json";
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";

export const AMD64: Platform = { os: "linux", architecture: "amd64" };
export const ARM64: Platform = { os: "linux", architecture: "arm64" };

/** Builds an image for one platform. */
export async function buildImage({ name, layers, platform = AMD64, config = {} }: ImageSpec): Promise<Image> {
  const blobs = new Map(layers.map(({ descriptor, bytes }) => [descriptor.digest, bytes]));
  const configuration = await addJson(blobs, CONFIG, {
    created: "1970-01-01T00:00:00Z",
    ...platform,
    config,
    rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
  });
  const manifest = await addJson(blobs, MANIFEST, {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: configuration,
    layers: layers.map(({ descriptor }) => descriptor),
  });
  return { name, target: { ...manifest, platform }, blobs };
}

/** Builds an image out of others: of several platforms, or of indexes. */
export async function buildIndex(name: string, children: Image[]): Promise<Image> {
  const blobs = new Map(children.flatMap((child) => [...child.blobs]));
  const target = await addJson(blobs, INDEX, {
    schemaVersion: 2,
    mediaType: INDEX,
    manifests: children.map((child) => child.target),
  });
  return { name, target, blobs };
}

/** A tar in OCI layout with the images and all their blobs; more blobs may be given as entries. */
export function ociArchive(images: Image[], more: TarEntry[] = []): ReadableStream<Bytes> {
  const blobs = new Map(images.flatMap((image) => [...image.blobs]));
  const manifests = images.map(({ name, target }) => ({
    ...target,
    annotations: { "io.containerd.image.name": name, "org.opencontainers.image.ref.name": tagOf(name) },
  }));
  return tarStream([
    file("oci-layout", json({ imageLayoutVersion: "1.0.0" })),
    file("index.json", json({ schemaVersion: 2, mediaType: INDEX, manifests })),
    ...[...blobs].map(([digest, bytes]) => file(blobPath(digest), bytes)),
    ...more,
  ]);
}

/** A tar as `docker save` wrote it before it knew OCI layouts; for images of one platform. */
export function dockerArchive(images: Image[]): ReadableStream<Bytes> {
  const files = new Map<string, Bytes>();
  const manifest = images.map(({ name, target, blobs }) => {
    const { config, layers } = parseJson<{ config: Descriptor; layers: Descriptor[] }>(blobs, target);
    const keep = ({ digest }: Descriptor, path: string) => {
      files.set(path, blobOf(blobs, digest));
      return path;
    };
    return {
      Config: keep(config, `${hexOf(config.digest)}.json`),
      RepoTags: [name.replace(/^docker\.io\/(library\/)?/, "")],
      Layers: layers.map((layer) => keep(layer, `${hexOf(layer.digest)}/layer.tar`)),
    };
  });
  return tarStream([
    ...[...files].map(([path, bytes]) => file(path, bytes)),
    file("manifest.json", json(manifest)),
  ]);
}

/** Path of a blob in an OCI layout and in containerd's content folder. */
export function blobPath(digest: string): string {
  return `blobs/${digest.replace(":", "/")}`;
}

export function parseJson<T>(blobs: Map<string, Bytes>, { digest }: Descriptor): T {
  return JSON.parse(new TextDecoder().decode(blobOf(blobs, digest)));
}

function blobOf(blobs: Map<string, Bytes>, digest: string): Bytes {
  const bytes = blobs.get(digest);
  if (bytes === undefined) throw new Error(`Cannot find blob "${digest}" in the image`);
  return bytes;
}

async function addJson(blobs: Map<string, Bytes>, mediaType: string, value: unknown): Promise<Descriptor> {
  const bytes = json(value);
  const descriptor = await describe(mediaType, bytes);
  blobs.set(descriptor.digest, bytes);
  return descriptor;
}

function json(value: unknown): Bytes {
  return new TextEncoder().encode(JSON.stringify(value));
}

function file(name: string, body: Bytes): TarEntry {
  return { header: { name, size: body.byteLength }, body };
}

function hexOf(digest: string): string {
  return digest.slice(digest.indexOf(":") + 1);
}

function tagOf(name: string): string {
  return name.slice(name.lastIndexOf(":") + 1);
}
