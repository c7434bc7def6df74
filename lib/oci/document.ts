import { type Descriptor, readDescriptor } from "./descriptor.ts";
import { JsonObject } from "./json.ts";
import { isIndex, isManifest, isSchema1 } from "./media_types.ts";
import { quoted } from "./quoted.ts";

/** How many indexes deep an image may lie. Who walks documents stops there. */
export const maxIndexDepth = 16;

/** What `ctr import` accepts too. */
const maxDescriptors = 10_000;

const schema1Refusal = "docker's schema 1, which containerd cannot use";

/**
 * A list of manifests, usually one per platform: an OCI index or a docker manifest list.
 *
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md}
 */
export interface ImageIndex extends DocumentAttributes {
  /** In its order; indexes may be among them. */
  manifests: Descriptor[];
}

/**
 * One image or artifact: its config and layers, in the format of OCI or docker.
 *
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md}
 */
export interface ImageManifest extends DocumentAttributes {
  /** What the image says of itself; an artifact may have anything here. */
  config: Descriptor;
  /** The base comes first. */
  layers: Descriptor[];
}

/** Content that points to other content. */
export type ImageDocument = ImageIndex | ImageManifest;

/** What indexes and manifests may both say. */
export interface DocumentAttributes {
  /** What it was found under, which it need not say itself. */
  mediaType: string;
  /** What kind of artifact it is; absent for most images. */
  artifactType?: string;
  /** What this is a statement about; containerd does not keep it alive. */
  subject?: Descriptor;
  /** By key. */
  annotations?: Record<string, string>;
}

/** What the document was found under; the digest, if known, is for error messages. */
export interface DocumentSource {
  /** That of the descriptor: it decides what the bytes are. */
  mediaType: string;
  /** `sha256:…` */
  digest?: string;
}

/**
 * Parses an index or manifest, whichever its media type says; other types are leaves (see `hasChildren`).
 *
 * ```ts
 * import { children, type NamespacedClient, parseDocument } from "davit";
 *
 * async function example({ content, images }: NamespacedClient) {
 *   const { target } = await images.get("example.com/app:1");
 *   const document = parseDocument(await content.readSmall(target), target);
 *   for (const { descriptor } of children(document)) console.log(descriptor.mediaType, descriptor.size);
 * }
 * ```
 *
 * @throws {SyntaxError} when it is malformed, ambiguous, beyond the limits, or of another type.
 */
export function parseDocument(bytes: Uint8Array, source: DocumentSource): ImageDocument {
  const { mediaType } = source;
  if (isIndex(mediaType)) return parseIndex(bytes, source);
  if (isManifest(mediaType)) return parseManifest(bytes, source);
  const reason = isSchema1(mediaType) ? schema1Refusal : "neither an index nor a manifest";
  throw new SyntaxError(`Cannot parse ${named("content", source)} of type ${quoted(mediaType)}: ${reason}`);
}

/**
 * Parses an index.
 *
 * @throws {SyntaxError} when it is malformed, has parts of a manifest, or is beyond the limits.
 */
export function parseIndex(bytes: Uint8Array, source: DocumentSource): ImageIndex {
  const json = JsonObject.parse(bytes, named("image index", source));
  refuseForeignParts(json, { parts: ["config", "layers"], isOwnType: isIndex });
  return { ...readAttributes(json, source), manifests: readDescriptors(json, "manifests") };
}

/**
 * Parses a manifest.
 *
 * @throws {SyntaxError} when it is malformed, has parts of an index, or is beyond the limits.
 */
export function parseManifest(bytes: Uint8Array, source: DocumentSource): ImageManifest {
  const json = JsonObject.parse(bytes, named("image manifest", source));
  refuseForeignParts(json, { parts: ["manifests"], isOwnType: isManifest });
  const config = json.object("config");
  if (config === undefined) throw json.error("config", "is missing");
  return {
    ...readAttributes(json, source),
    config: readDescriptor(config),
    layers: readDescriptors(json, "layers"),
  };
}

/** Content that one tool takes for an index and another for a manifest hides an image: CVE-2021-41190. */
function refuseForeignParts(
  json: JsonObject,
  { parts, isOwnType }: { parts: string[]; isOwnType: (mediaType: string) => boolean },
): void {
  const schemaVersion = json.number("schemaVersion") ?? 2;
  if (schemaVersion === 1 || json.has("fsLayers")) {
    throw json.error("schemaVersion", `is of ${schema1Refusal}`);
  }
  if (schemaVersion !== 2) throw json.error("schemaVersion", `is not 2: ${schemaVersion}`);
  const declared = json.string("mediaType");
  if (declared && !isOwnType(declared)) {
    throw json.error("mediaType", `is that of something else: ${quoted(declared)}`);
  }
  const foreign = parts.find((part) => json.has(part));
  if (foreign !== undefined) throw json.error(foreign, "does not belong here");
}

function readAttributes(json: JsonObject, { mediaType }: DocumentSource): DocumentAttributes {
  const artifactType = json.string("artifactType");
  const subject = json.object("subject");
  const annotations = json.stringMap("annotations");
  return {
    mediaType,
    ...(artifactType && { artifactType }),
    ...(subject && { subject: readDescriptor(subject) }),
    ...(annotations && { annotations }),
  };
}

function readDescriptors(json: JsonObject, key: string): Descriptor[] {
  const objects = json.objects(key) ?? [];
  if (objects.length > maxDescriptors) {
    throw json.error(key, `has ${objects.length} entries, more than the limit of ${maxDescriptors}`);
  }
  return objects.map(readDescriptor);
}

function named(kind: string, { digest }: DocumentSource): string {
  return digest === undefined ? kind : `${kind} ${quoted(digest)}`;
}
