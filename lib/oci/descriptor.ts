import type { JsonObject } from "./json.ts";
import { type Platform, readPlatform } from "./platform.ts";
import { quoted } from "./quoted.ts";

/**
 * What points to content: its type, digest and size in bytes.
 *
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md}
 */
export interface Descriptor {
  /** What kind of content it is: `application/vnd.oci.image.manifest.v1+json`. */
  mediaType: string;
  /** What the bytes come to: `sha256:…`. */
  digest: string;
  /** Bytes. */
  size: number;
  /** By key; those of a manifest in an index say more about it, such as its name in an archive. */
  annotations?: Record<string, string>;
  /** Of a manifest in an index, what it runs on. */
  platform?: Platform;
  /** Where else the content may be had. */
  urls?: string[];
  /** Of a manifest of something that is no image, what that is. */
  artifactType?: string;
}

/** The two parts of a digest, `algorithm:encoded`. */
export interface Digest {
  /** Such as `sha256`. */
  algorithm: string;
  /** What it came to: of `sha256` 64 hexadecimal digits. */
  encoded: string;
}

const algorithms: ReadonlyMap<string, { digits: number; webCrypto: string }> = new Map([
  ["sha256", { digits: 64, webCrypto: "SHA-256" }],
  ["sha384", { digits: 96, webCrypto: "SHA-384" }],
  ["sha512", { digits: 128, webCrypto: "SHA-512" }],
]);

/**
 * Splits a digest. Of the algorithms that containerd knows (sha256, sha384, sha512) only lower-case hexadecimal of the
 * right length passes, of others what the OCI grammar allows; both parts are safe as file names.
 *
 * @throws {SyntaxError} when it is malformed.
 */
export function parseDigest(text: string): Digest {
  const [, algorithm, encoded] = /^([a-z0-9]+(?:[+._-][a-z0-9]+)*):([a-zA-Z0-9=_-]+)$/.exec(text) ?? [];
  if (algorithm === undefined || encoded === undefined) {
    throw new SyntaxError(`Cannot parse digest ${quoted(text)}: not of the form "algorithm:encoded"`);
  }
  const digits = algorithms.get(algorithm)?.digits;
  if (digits !== undefined && (encoded.length !== digits || !/^[a-f0-9]+$/.test(encoded))) {
    throw new SyntaxError(
      `Cannot parse digest ${quoted(text)}: ${algorithm} has ${digits} lower-case hexadecimal digits`,
    );
  }
  return { algorithm, encoded };
}

/** Whether `parseDigest` accepts the text. */
export function isDigest(text: string): boolean {
  try {
    parseDigest(text);
    return true;
  } catch {
    return false;
  }
}

/** Whether containerd can hold content under this digest: well-formed, and of an algorithm that it knows. */
export function isContentDigest(text: string): boolean {
  return isDigest(text) && algorithms.has(parseDigest(text).algorithm);
}

/**
 * The sha256 digest of the bytes.
 *
 * ```ts
 * import { digestOf } from "davit";
 * import { assertEquals } from "davit/testing";
 *
 * assertEquals((await digestOf(new TextEncoder().encode("text"))).slice(0, 15), "sha256:982d9e3e");
 * ```
 */
export async function digestOf(bytes: Uint8Array): Promise<string> {
  return `sha256:${await hash(bytes, "SHA-256")}`;
}

/**
 * Whether the bytes are the content that the digest names.
 *
 * @throws {SyntaxError} when the digest is malformed or of an algorithm that containerd does not know.
 */
export async function verifyDigest(bytes: Uint8Array, digest: string): Promise<boolean> {
  const { algorithm, encoded } = parseDigest(digest);
  const known = algorithms.get(algorithm);
  if (known === undefined) {
    throw new SyntaxError(
      `Cannot verify digest ${quoted(digest)}: algorithm ${quoted(algorithm)} is not supported`,
    );
  }
  return await hash(bytes, known.webCrypto) === encoded;
}

async function hash(bytes: Uint8Array, webCryptoName: string): Promise<string> {
  // WebCrypto takes no shared memory, which nothing here uses.
  return new Uint8Array(await crypto.subtle.digest(webCryptoName, bytes as Uint8Array<ArrayBuffer>)).toHex();
}

/** Whether the descriptor is for a statement about an image (provenance, SBOM), not for an image that could run. */
export function isAttestation({ annotations, platform }: Descriptor): boolean {
  return annotations?.["vnd.docker.reference.type"] === "attestation-manifest" ||
    platform?.os === "unknown" || platform?.architecture === "unknown";
}

/** @throws {SyntaxError} when the object is not a valid descriptor. */
export function readDescriptor(json: JsonObject): Descriptor {
  const mediaType = json.string("mediaType");
  if (!mediaType) throw json.error("mediaType", "is missing");
  const annotations = json.stringMap("annotations");
  const platform = json.object("platform");
  const urls = json.strings("urls");
  const artifactType = json.string("artifactType");
  return {
    mediaType,
    digest: readDigest(json),
    size: readSize(json),
    ...(annotations && { annotations }),
    ...(platform && { platform: readPlatform(platform) }),
    ...(urls && { urls }),
    ...(artifactType && { artifactType }),
  };
}

function readDigest(json: JsonObject): string {
  const digest = json.string("digest");
  if (digest === undefined) throw json.error("digest", "is missing");
  if (!isDigest(digest)) throw json.error("digest", `is malformed: ${quoted(digest)}`);
  return digest;
}

function readSize(json: JsonObject): number {
  const size = json.number("size");
  if (size === undefined) throw json.error("size", "is missing");
  if (!Number.isSafeInteger(size) || size < 0) throw json.error("size", `is not a number of bytes: ${size}`);
  return size;
}
