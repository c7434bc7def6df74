import type { NamespacedClient } from "../client.ts";
import { gcLabels } from "../oci/children.ts";
import { parseConfig } from "../oci/config.ts";
import { type Descriptor, isAttestation, isContentDigest } from "../oci/descriptor.ts";
import { type ImageDocument, type ImageManifest, maxIndexDepth, parseDocument } from "../oci/document.ts";
import { hasChildren, isConfig, isNonDistributable } from "../oci/media_types.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import { matchesPlatform } from "../oci/platform_match.ts";
import type { CallOptions } from "../transport/transport.ts";
import { isBadContent } from "./documents.ts";
import type { ArchiveBlob } from "./ingest.ts";
import { bestFor } from "./tree.ts";

/** What there is of an image. */
export interface SettledImage {
  /** Its documents, and the blobs of those of its manifests that are complete. */
  blobs: Descriptor[];
  /** How many of its manifests lack something; statements about images do not count. */
  incomplete: number;
  /** The first thing that it lacks, unless it can do without: a complete manifest of an index is enough. */
  missing?: Descriptor;
}

/** Bytes of indexes and manifests that one archive may have, counted as often as they are read. */
const maxDocumentBytesInAll = 64 * 1024 * 1024;

/**
 * Labels the documents of images so that they keep from collection what they point to, and finds out whether it is all
 * there: in `blobs`, which the lease holds, or from before, which it then holds as well.
 */
export class Settler {
  readonly #client: NamespacedClient;
  readonly #leaseId: string;
  readonly #sizes: Map<string, number | undefined>;
  /** Only these are followed in indexes, and each has to be complete. */
  readonly #platforms: readonly Platform[];
  readonly #options: CallOptions;
  #documentBytes = 0;

  constructor(
    client: NamespacedClient,
    { blobs, leaseId, platforms, ...options }: CallOptions & {
      blobs: Iterable<ArchiveBlob>;
      leaseId: string;
      platforms: readonly Platform[];
    },
  ) {
    this.#platforms = platforms;
    this.#client = client;
    this.#leaseId = leaseId;
    this.#sizes = new Map(Iterator.from(blobs).map(({ digest, size }) => [digest, size]));
    this.#options = options;
  }

  /** @throws {SyntaxError} when a document is malformed, too large, or wrong about the size of what it points to. */
  async settle(target: Descriptor): Promise<SettledImage> {
    const walk = new Walk(target);
    await this.#visit(target, { depth: 0, walk });
    const { blobs, incomplete, complete, missing } = walk;
    if (complete + incomplete === 0) {
      throw new SyntaxError(`Cannot read image index ${target.digest}: it lists no image`);
    }
    const isLacking = complete === 0 || this.#platforms.length > 0;
    return { blobs: [...blobs.values()], incomplete, ...(missing && isLacking && { missing }) };
  }

  async #visit(descriptor: Descriptor, { depth, walk }: { depth: number; walk: Walk }): Promise<void> {
    if (depth > maxIndexDepth) {
      throw new SyntaxError(
        `Cannot read image index ${descriptor.digest}: more than ${maxIndexDepth} indexes deep`,
      );
    }
    if (!walk.enters(descriptor)) return;
    const whole = await this.#read(descriptor);
    if (whole === undefined) return walk.lacks(descriptor, descriptor);
    const document = await this.#selected(whole, { descriptor, isRoot: depth === 0 });
    await this.#client.content.update(descriptor.digest, { labels: gcLabels(document), ...this.#options });
    walk.blobs.set(descriptor.digest, descriptor);
    if ("config" in document) return await this.#check(descriptor, { document, walk });
    for (const child of document.manifests) {
      if (hasChildren(child.mediaType)) await this.#visit(child, { depth: depth + 1, walk });
    }
  }

  /** A document with only the wanted platforms, as far as they are there; the root has to have each of them. */
  async #selected(
    document: ImageDocument,
    { descriptor, isRoot }: { descriptor: Descriptor; isRoot: boolean },
  ): Promise<ImageDocument> {
    if (this.#platforms.length === 0) return document;
    if ("config" in document) {
      if (isRoot) await this.#requirePlatform(descriptor, document);
      return document;
    }
    const found = this.#platforms.map((platform) => bestFor(platform, document));
    const unmet = this.#platforms.find((_, i) => isRoot && found[i]!.length === 0);
    if (unmet) throw noSuchPlatform(descriptor, unmet);
    const wanted = new Set(found.flat());
    return { ...document, manifests: document.manifests.filter((child) => wanted.has(child)) };
  }

  /** A manifest without an index says in its config what it is for. */
  async #requirePlatform(descriptor: Descriptor, { config }: ImageManifest): Promise<void> {
    if (!isConfig(config.mediaType) || !await this.#holds(config)) return; // what is missing is reported as such
    const bytes = await this.#client.content.readSmall(config, this.#options);
    const { platform } = parseConfig(bytes, config);
    const unmet = this.#platforms.find((wanted) => !matchesPlatform(wanted, platform));
    if (unmet) throw noSuchPlatform(descriptor, unmet);
  }

  async #check(
    manifest: Descriptor,
    { document: { config, layers }, walk }: { document: ImageManifest; walk: Walk },
  ): Promise<void> {
    const blobs: Descriptor[] = [];
    for (const blob of [config, ...layers]) {
      if (await this.#holds(blob)) blobs.push(blob);
      else if (!isNonDistributable(blob.mediaType)) return walk.lacks(manifest, blob);
    }
    walk.has(manifest, blobs);
  }

  async #read(descriptor: Descriptor): Promise<ImageDocument | undefined> {
    this.#documentBytes += descriptor.size;
    if (this.#documentBytes > maxDocumentBytesInAll) {
      throw new SyntaxError(
        `Cannot read archive: more than ${maxDocumentBytesInAll} bytes of indexes and manifests`,
      );
    }
    if (!await this.#holds(descriptor)) return undefined;
    try {
      return parseDocument(await this.#client.content.readSmall(descriptor, this.#options), descriptor);
    } catch (error) {
      throw isBadContent(error) ? new SyntaxError(error.message, { cause: error }) : error;
    }
  }

  /** Whether the namespace has the content, which then stays. */
  async #holds({ digest, size }: Descriptor): Promise<boolean> {
    if (!isContentDigest(digest)) return false; // containerd would refuse to look
    if (!this.#sizes.has(digest)) {
      // Held before it is looked for, or it could be collected in between.
      const resource = { id: digest, type: "content" };
      await this.#client.leases.addResource(this.#leaseId, resource, this.#options);
      this.#sizes.set(digest, (await this.#client.content.find(digest, this.#options))?.size);
    }
    const actual = this.#sizes.get(digest);
    if (actual !== undefined && actual !== size) {
      throw new SyntaxError(
        `Cannot read archive: content ${digest} has ${actual} bytes, not ${size} as said`,
      );
    }
    return actual !== undefined;
  }
}

function noSuchPlatform({ digest }: Descriptor, platform: Platform): SyntaxError {
  return new SyntaxError(`Cannot import image ${digest}: it has no ${formatPlatform(platform)}`);
}

/** What was found on the way through one image; a document that several ways lead to counts once. */
class Walk {
  readonly blobs = new Map<string, Descriptor>();
  complete = 0;
  incomplete = 0;
  missing: Descriptor | undefined;
  readonly #root: Descriptor;
  readonly #entered = new Set<string>();

  constructor(root: Descriptor) {
    this.#root = root;
  }

  enters({ mediaType, digest }: Descriptor): boolean {
    const key = `${mediaType} ${digest}`;
    if (this.#entered.has(key)) return false;
    this.#entered.add(key);
    return true;
  }

  has(manifest: Descriptor, blobs: Descriptor[]): void {
    for (const blob of blobs) this.blobs.set(blob.digest, blob);
    if (this.#counts(manifest)) this.complete++;
  }

  lacks(document: Descriptor, blob: Descriptor): void {
    if (!this.#counts(document)) return;
    this.incomplete++;
    this.missing ??= blob;
  }

  #counts(document: Descriptor): boolean {
    return document === this.#root || !isAttestation(document);
  }
}
