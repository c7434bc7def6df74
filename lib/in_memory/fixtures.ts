/** What an in-memory containerd begins with, as plain data: JSON will do. */
import { createHash } from "node:crypto";
import { gcLabels } from "../oci/children.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { ImageDocument } from "../oci/document.ts";
import { encodeDocument } from "../oci/encode.ts";
import { mediaTypes } from "../oci/media_types.ts";
import { parsePlatform } from "../oci/platform.ts";
import { checkNamespaceName } from "./names.ts";
import { type NamespaceState, now, type State, timestampOf } from "./state.ts";

/** Namespaces by name. */
export type Fixtures = Readonly<Record<string, NamespaceFixture>>;

/** What a namespace holds. */
export interface NamespaceFixture {
  /** By key. Default: none. */
  labels?: Readonly<Record<string, string>>;
  /** In any order; blobs that they have in common are there once. Default: none. */
  images?: readonly ImageFixture[];
  /** What is kept besides images. Default: none. */
  leases?: readonly LeaseFixture[];
}

/** An image, made complete: index or manifest, config, layers and the labels that keep them. */
export interface ImageFixture {
  /** A reference such as `example.com/app:1`. */
  name: string;
  /** Of the image, by key. Default: none. */
  labels?: Readonly<Record<string, string>>;
  /** What each layer consists of; equal texts are the same blob. Default: one layer, of the image's name. */
  layers?: readonly string[];
  /** `linux/arm64`; makes the image an index, with the same layers for all. Default: only linux/amd64, without index. */
  platforms?: readonly string[];
  /** RFC 3339; also in the config. Default: now. */
  createdAt?: string | Date;
}

/** A lease. */
export interface LeaseFixture {
  /** Unique in its namespace. */
  id: string;
  /** By key; with `containerd.io/gc.expire`, RFC 3339, it ends by itself. Default: none. */
  labels?: Readonly<Record<string, string>>;
  /** The digests that it holds. */
  content?: readonly string[];
}

/** Puts all that the fixtures describe into a state. */
export function load(state: State, fixtures: Fixtures): void {
  for (const [name, { labels = {}, images = [], leases = [] }] of Object.entries(fixtures)) {
    checkNamespaceName(name);
    const namespace = state.reach(name);
    namespace.labels = { ...labels };
    for (const image of images) addImage(image, { state, namespace });
    for (const { id, labels = {}, content = [] } of leases) {
      namespace.leases.set(id, { id, labels: { ...labels }, createdAt: now() });
      namespace.held.set(id, content.map((digest) => ({ type: "content", id: digest })));
    }
  }
}

/** Where blobs go: the bytes to all, the record of them to one namespace. */
interface Place {
  state: State;
  namespace: NamespaceState;
}

function addImage(image: ImageFixture, place: Place): void {
  const { name, labels = {}, platforms, createdAt = new Date() } = image;
  const created = new Date(createdAt);
  const manifests = (platforms ?? ["linux/amd64"]).map((platform) =>
    addManifest(image, { platform, created, place })
  );
  const target = platforms === undefined
    ? manifests[0]!
    : addDocument({ mediaType: mediaTypes.ociIndex, manifests }, place);
  const at = timestampOf(created);
  place.namespace.images.set(name, {
    name,
    labels: { ...labels },
    target: { ...target, size: BigInt(target.size), annotations: {} },
    createdAt: at,
    updatedAt: at,
  });
}

function addManifest(
  { name, layers = [name] }: ImageFixture,
  { platform: text, created, place }: { platform: string; created: Date; place: Place },
): Descriptor {
  const platform = parsePlatform(text);
  const add = (mediaType: string, text: string) =>
    addBlob(new TextEncoder().encode(text), { mediaType, labels: {}, place });
  const contents = layers.map((layer) => add(mediaTypes.ociLayer, layer));
  const { os, architecture, variant } = platform;
  const config = JSON.stringify({
    created: created.toISOString(),
    architecture,
    os,
    variant,
    config: {},
    rootfs: { type: "layers", diff_ids: contents.map(({ digest }) => digest) },
  });
  const manifest = addDocument(
    { mediaType: mediaTypes.ociManifest, config: add(mediaTypes.ociConfig, config), layers: contents },
    place,
  );
  return { ...manifest, platform };
}

function addDocument(document: ImageDocument, place: Place): Descriptor {
  const { mediaType } = document;
  return addBlob(encodeDocument(document), { mediaType, labels: gcLabels(document), place });
}

function addBlob(
  bytes: Uint8Array,
  { mediaType, labels, place: { state, namespace } }: {
    mediaType: string;
    labels: Record<string, string>;
    place: Place;
  },
): Descriptor {
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  const size = bytes.length;
  state.blobs.set(digest, bytes);
  const createdAt = now();
  namespace.content.set(digest, { digest, size: BigInt(size), labels, createdAt, updatedAt: createdAt });
  return { mediaType, digest, size };
}
