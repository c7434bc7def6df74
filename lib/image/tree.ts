import type { Content } from "../content.ts";
import { containerdError, NotFoundError } from "../errors.ts";
import { children, gcLabels } from "../oci/children.ts";
import { parseConfig } from "../oci/config.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type ImageDocument, type ImageIndex, maxIndexDepth, parseDocument } from "../oci/document.ts";
import { isIndex, isManifest } from "../oci/media_types.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import { byPreference, matchesPlatform } from "../oci/platform_match.ts";
import type { CallOptions } from "../transport/transport.ts";

/** A blob of an image, with what it points to. */
export interface ImageNode {
  descriptor: Descriptor;
  /** What it points to; of an index only the selected platforms. Empty where `absent`. */
  children: ImageNode[];
  /** The labels that keep all its children from being collected, selected or not. */
  gcLabels: Record<string, string>;
  /** An index or manifest that the namespace lacks, so that nobody knows what it points to. */
  absent: boolean;
}

/** Reads images of one namespace as trees; a document that several images share is read once. */
export class ImageTrees {
  readonly #content: Content;
  readonly #platforms: readonly Platform[];
  readonly #options: CallOptions;
  readonly #nodes = new Map<string, Promise<ImageNode>>();

  /** With `platforms`, only those are followed in indexes. */
  constructor(
    content: Content,
    { platforms = [], ...options }: CallOptions & { platforms?: readonly Platform[] | undefined } = {},
  ) {
    this.#content = content;
    this.#platforms = platforms;
    this.#options = options;
  }

  /**
   * The tree below an image's target.
   *
   * @throws {NotFoundError} when the target, or a selected platform of it, is not there.
   * @throws {SyntaxError} when a document is malformed, or indexes lie too deep in each other.
   */
  async read(target: Descriptor): Promise<ImageNode> {
    const root = await this.#node(target, 0);
    if (root.absent) await this.#content.info(target.digest, this.#options); // throws what there is to say
    if (isManifest(target.mediaType) && this.#platforms.length > 0) await this.#requirePlatform(root);
    return root;
  }

  async #node(descriptor: Descriptor, depth: number): Promise<ImageNode> {
    const { digest, mediaType } = descriptor;
    if (!isIndex(mediaType) && !isManifest(mediaType)) return leaf(descriptor);
    if (depth > maxIndexDepth) {
      throw new SyntaxError(`Cannot read image index ${digest}: more than ${maxIndexDepth} indexes deep`);
    }
    const key = `${mediaType} ${digest}`; // one blob under two types would be two documents
    let node = this.#nodes.get(key);
    if (node === undefined) this.#nodes.set(key, node = this.#read(descriptor, depth));
    return await node;
  }

  async #read(descriptor: Descriptor, depth: number): Promise<ImageNode> {
    let bytes: Uint8Array;
    try {
      bytes = await this.#content.readSmall(descriptor, this.#options);
    } catch (error) {
      if (error instanceof NotFoundError) return { ...leaf(descriptor), absent: true };
      throw error;
    }
    const document = parseDocument(bytes, descriptor);
    const selected = children(document)
      .map((child) => child.descriptor)
      .filter(this.#selection(document, descriptor));
    return {
      descriptor,
      children: await Promise.all(selected.map((child) => this.#node(child, depth + 1))),
      gcLabels: gcLabels(document),
      absent: false,
    };
  }

  /** Which children of a document to follow: of each selected platform the best there is. */
  #selection(document: ImageDocument, { digest }: Descriptor): (child: Descriptor) => boolean {
    if (this.#platforms.length === 0 || !("manifests" in document)) return () => true;
    const wanted = new Set(this.#platforms.flatMap((platform) => bestFor(platform, document)));
    const unmet = this.#platforms.find((platform) => bestFor(platform, document).length === 0);
    if (unmet) throw this.#noSuchPlatform(digest, unmet, platformsOf(document));
    return (child) => wanted.has(child);
  }

  /** A manifest without an index says in its config what it is for. */
  async #requirePlatform({ descriptor, children: [config] }: ImageNode): Promise<void> {
    if (config === undefined) return;
    const bytes = await this.#content.readSmall(config.descriptor, this.#options);
    const { platform } = parseConfig(bytes, config.descriptor);
    const unmet = this.#platforms.find((wanted) => !matchesPlatform(wanted, platform));
    if (unmet) throw this.#noSuchPlatform(descriptor.digest, unmet, [platform]);
  }

  #noSuchPlatform(digest: string, wanted: Platform, has: Platform[]): Error {
    return containerdError({
      code: "not_found",
      reason: `it has no ${formatPlatform(wanted)}, only ${
        has.map((platform) => formatPlatform(platform)).join(", ")
      }`,
      outcome: "refused",
      action: "select a platform of",
      resource: `content ${digest}`,
    });
  }
}

/** Every descriptor of the tree once, children before their parents. */
export function descriptorsOf(root: ImageNode): Descriptor[] {
  const found = new Map<string, Descriptor>();
  visit(root);
  return [...found.values()];

  function visit({ descriptor, children }: ImageNode): void {
    children.forEach(visit);
    found.set(descriptor.digest, descriptor);
  }
}

function leaf(descriptor: Descriptor): ImageNode {
  return { descriptor, children: [], gcLabels: {}, absent: false };
}

/** Children without a platform (nested indexes, mostly) are followed for every one. */
function bestFor(platform: Platform, { manifests }: ImageIndex): Descriptor[] {
  const order = byPreference(platform);
  const matching = manifests.filter((child) => child.platform && matchesPlatform(platform, child.platform));
  const best = matching.toSorted((a, b) => order(a.platform!, b.platform!))[0];
  return manifests.filter((child) =>
    child.platform === undefined ||
    (best && matching.includes(child) && order(child.platform, best.platform!) === 0)
  );
}

function platformsOf({ manifests }: ImageIndex): Platform[] {
  return manifests.flatMap(({ platform }) => platform ?? []);
}
