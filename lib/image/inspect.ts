import type { NamespacedClient } from "../client.ts";
import { Limiter } from "../concurrency.ts";
import type { Image } from "../images.ts";
import type { ImageConfig } from "../oci/config.ts";
import { type Descriptor, isContentDigest } from "../oci/descriptor.ts";
import { maxIndexDepth } from "../oci/document.ts";
import { hasChildren, isConfig } from "../oci/media_types.ts";
import type { CallOptions } from "../transport/transport.ts";
import { Documents, isBadContent } from "./documents.ts";

/** An image with the tree of all content below it. */
export interface InspectedImage extends Omit<Image, "target"> {
  /** The index or manifest, and all below it. */
  target: InspectedBlob;
}

/** A blob of an image, and what it says. Where a document occurs again in the tree, only the first one is followed. */
export interface InspectedBlob extends Descriptor {
  /** Whether the namespace has it. */
  present: boolean;
  /** Those of the blob in this namespace; absent when it is not present. */
  labels?: Record<string, string>;
  /** Of an index. */
  manifests?: InspectedBlob[];
  /** Of a manifest. */
  config?: InspectedBlob;
  /** Of a manifest. */
  layers?: InspectedBlob[];
  /** Of a config: what the image says of itself. */
  image?: ImageConfig;
  /** Why a document cannot be read. */
  problem?: string;
}

const lookupsAtOnce = 16;

/**
 * Reads all documents of an image, of every platform; what is missing or broken is told and no error.
 *
 * ```ts
 * import { inspectImage } from "davit";
 * import { assertEquals, InMemoryContainerd } from "davit/testing";
 *
 * const images = [{ name: "example.com/app:1", layers: ["base", "app"] }];
 * await using client = new InMemoryContainerd({ namespaces: { build: { images } } }).client();
 * const build = client.namespace("build");
 * const { target } = await inspectImage(build, await build.images.get("example.com/app:1"));
 * assertEquals(target.layers?.map(({ present }) => present), [true, true]);
 * ```
 */
export async function inspectImage(
  client: NamespacedClient,
  { target, ...image }: Image,
  options: CallOptions = {},
): Promise<InspectedImage> {
  return { ...image, target: await new Inspector(client, options).inspect(target, 0) };
}

class Inspector {
  readonly #client: NamespacedClient;
  readonly #options: CallOptions;
  readonly #documents: Documents;
  readonly #limiter = new Limiter(lookupsAtOnce);
  readonly #followed = new Set<string>(); // a tree of shared documents could grow without end

  constructor(client: NamespacedClient, options: CallOptions) {
    this.#client = client;
    this.#options = options;
    this.#documents = new Documents(client.content, options);
  }

  async inspect(descriptor: Descriptor, depth: number): Promise<InspectedBlob> {
    const blob = await this.#lookUp(descriptor);
    const key = `${descriptor.mediaType} ${descriptor.digest}`; // one blob under two types is two documents
    const isFirst = !this.#followed.has(key);
    this.#followed.add(key);
    if (!blob.present || !isFirst) return blob;
    try {
      return { ...blob, ...await this.#contents(descriptor, depth) };
    } catch (error) {
      if (!isBadContent(error)) throw error;
      return { ...blob, problem: error.message };
    }
  }

  async #contents(descriptor: Descriptor, depth: number): Promise<Partial<InspectedBlob>> {
    if (isConfig(descriptor.mediaType)) {
      const image = await this.#documents.findConfig(descriptor);
      return image === undefined ? {} : { image };
    }
    if (!hasChildren(descriptor.mediaType)) return {};
    if (depth > maxIndexDepth) {
      throw new SyntaxError(
        `Cannot read image index ${descriptor.digest}: more than ${maxIndexDepth} indexes deep`,
      );
    }
    const document = await this.#documents.find(descriptor);
    if (document === undefined) return {};
    if ("config" in document) {
      return {
        config: await this.inspect(document.config, depth + 1),
        layers: await Promise.all(document.layers.map((layer) => this.#lookUp(layer))),
      };
    }
    const manifests: InspectedBlob[] = [];
    // One after the other: which of two equal ones is followed must not be a matter of luck.
    for (const manifest of document.manifests) manifests.push(await this.inspect(manifest, depth + 1));
    return { manifests };
  }

  async #lookUp(descriptor: Descriptor): Promise<InspectedBlob> {
    const { digest } = descriptor;
    if (!isContentDigest(digest)) return { ...descriptor, present: false }; // containerd would refuse to look
    const info = await this.#limiter.run(() => this.#client.content.find(digest, this.#options));
    return { ...descriptor, present: info !== undefined, ...(info && { labels: info.labels }) };
  }
}
