import { containerdError } from "../errors.ts";
import { gcLabels } from "../oci/children.ts";
import { parseConfig } from "../oci/config.ts";
import { type Descriptor, isAttestation } from "../oci/descriptor.ts";
import { type ImageDocument, type ImageIndex, maxIndexDepth, parseDocument } from "../oci/document.ts";
import { hasChildren, isConfig, isIndex, isSchema1 } from "../oci/media_types.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import { matchesPlatform } from "../oci/platform_match.ts";
import { quoted } from "../oci/quoted.ts";
import { NoSuchPlatformError } from "./rootfs.ts";
import { bestFor } from "./tree.ts";

/** What an image consists of, as far as it is wanted. */
export interface WantedImage {
  /** Its indexes and manifests, children before their parents. */
  documents: WantedDocument[];
  configs: Descriptor[];
  /** All that is left, each once; layers with the base first. */
  layers: Descriptor[];
}

/** An index or manifest, with the labels that keep what it points to. */
export interface WantedDocument {
  descriptor: Descriptor;
  labels: Record<string, string>;
}

/** Bytes of indexes and manifests that one image may have. */
const maxDocumentBytesInAll = 64 * 1024 * 1024;

/** Finds out what an image consists of; its documents are pulled and read on the way. */
export class WantedReader {
  readonly #name: string;
  readonly #pull: (descriptor: Descriptor) => Promise<unknown>;
  readonly #bytes: (descriptor: Descriptor) => Promise<Uint8Array>;
  /** Only these, and each must be there. All when empty. */
  readonly #platforms: readonly Platform[];
  readonly #documents = new Map<string, WantedDocument>();
  readonly #configs = new Map<string, Descriptor>();
  readonly #layers = new Map<string, Descriptor>();
  readonly #met = new Set<Platform>();
  readonly #offered: Platform[] = [];
  readonly #pulled = new Map<string, Promise<unknown>>();
  #documentBytes = 0;

  /** `pull` sees to it that a blob can be read, several at once; `read` reads it. */
  constructor(
    { name, pull, read, platforms }: {
      name: string;
      pull: (descriptor: Descriptor) => Promise<unknown>;
      read: (descriptor: Descriptor) => Promise<Uint8Array>;
      platforms: readonly Platform[];
    },
  ) {
    this.#name = name;
    this.#pull = pull;
    this.#bytes = read;
    this.#platforms = platforms;
  }

  /**
   * @throws {NoSuchPlatformError} when one of the platforms is not there.
   * @throws {SyntaxError} when a document is malformed, or indexes lie too deep in each other.
   */
  async read(target: Descriptor): Promise<WantedImage> {
    await this.#visit(target, 0);
    const unmet = this.#platforms.find((platform) => !this.#met.has(platform));
    if (isIndex(target.mediaType) && unmet) throw this.#noSuchPlatform(unmet, this.#offered);
    const documents = [...this.#documents.values()];
    return { documents, configs: [...this.#configs.values()], layers: [...this.#layers.values()] };
  }

  /**
   * A manifest without an index says in its config what it is for.
   *
   * @throws {NoSuchPlatformError} when that is none of the platforms.
   */
  async checkConfig(config: Descriptor): Promise<void> {
    if (!isConfig(config.mediaType)) return;
    const { platform } = parseConfig(await this.#bytes(config), config);
    const unmet = this.#platforms.find((wanted) => !matchesPlatform(wanted, platform));
    if (unmet) throw this.#noSuchPlatform(unmet, [platform]);
  }

  async #visit(descriptor: Descriptor, depth: number): Promise<void> {
    const key = `${descriptor.mediaType} ${descriptor.digest}`;
    if (this.#documents.has(key)) return;
    if (depth > maxIndexDepth) {
      throw new SyntaxError(
        `Cannot pull image ${quoted(this.#name)}: more than ${maxIndexDepth} indexes deep`,
      );
    }
    const document = await this.#read(descriptor);
    if ("config" in document) {
      const { config, layers } = document;
      this.#configs.set(keyOf(config), config);
      for (const layer of layers) this.#layers.set(keyOf(layer), layer);
    } else {
      const children = this.#selected(document);
      const documents = children.filter(({ mediaType }) => hasChildren(mediaType));
      await Promise.all(documents.map((child) => this.#pullOnce(child))); // one after the other would take long
      for (const child of children) {
        if (isSchema1(child.mediaType)) throw this.#schema1(child);
        if (hasChildren(child.mediaType)) await this.#visit(child, depth + 1);
        else this.#layers.set(keyOf(child), child);
      }
    }
    this.#documents.set(key, { descriptor, labels: gcLabels(document) });
  }

  async #read(descriptor: Descriptor): Promise<ImageDocument> {
    await this.#pullOnce(descriptor);
    return parseDocument(await this.#bytes(descriptor), descriptor);
  }

  #pullOnce(descriptor: Descriptor): Promise<unknown> {
    const key = keyOf(descriptor);
    const pulled = this.#pulled.get(key) ?? this.#pullDocument(descriptor);
    this.#pulled.set(key, pulled);
    return pulled;
  }

  async #pullDocument(descriptor: Descriptor): Promise<void> {
    this.#documentBytes += descriptor.size;
    if (this.#documentBytes > maxDocumentBytesInAll) {
      throw new SyntaxError(
        `Cannot pull image ${
          quoted(this.#name)
        }: more than ${maxDocumentBytesInAll} bytes of indexes and manifests`,
      );
    }
    await this.#pull(descriptor);
  }

  /** The children to follow: of each wanted platform the best there is. */
  #selected(index: ImageIndex): readonly Descriptor[] {
    const { manifests } = index;
    const images = manifests.filter((child) => !isAttestation(child));
    this.#offered.push(...images.flatMap(({ platform }) => platform ?? []));
    if (this.#platforms.length === 0) return manifests;
    const wanted = new Set<Descriptor>();
    for (const platform of this.#platforms) {
      const best = bestFor(platform, index);
      if (best.some(({ mediaType }) => !isIndex(mediaType))) this.#met.add(platform);
      for (const child of best) wanted.add(child);
    }
    return manifests.filter((child) => wanted.has(child));
  }

  #noSuchPlatform(wanted: Platform, offered: readonly Platform[]): NoSuchPlatformError {
    const names = [...new Set(offered.map(formatPlatform))];
    const has = names.length === 0 ? "" : `, only ${names.join(", ")}`;
    return new NoSuchPlatformError({
      code: "not_found",
      reason: `it has no ${formatPlatform(wanted)}${has}`,
      outcome: "refused",
      action: "pull",
      resource: `image ${quoted(this.#name)}`,
    });
  }

  #schema1({ digest }: Descriptor): Error {
    return containerdError({
      code: "unimplemented",
      reason: `its ${digest} is of docker's schema 1, which containerd cannot use`,
      outcome: "refused",
      action: "pull",
      resource: `image ${quoted(this.#name)}`,
    });
  }
}

function keyOf({ digest, size }: Descriptor): string {
  return `${digest} ${size}`; // two that differ in size are not both right, which shows when they come
}
