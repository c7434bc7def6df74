import { Limiter } from "../concurrency.ts";
import type { Content } from "../content.ts";
import { containerdError } from "../errors.ts";
import { children, gcLabels } from "../oci/children.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type ImageDocument, type ImageIndex, maxIndexDepth } from "../oci/document.ts";
import { hasChildren, isManifest } from "../oci/media_types.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import { byPreference, matchesPlatform } from "../oci/platform_match.ts";
import type { CallOptions } from "../transport/transport.ts";
import { Documents } from "./documents.ts";

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

/** Documents under way at once; an index may have thousands of children. */
const readsAtOnce = 16;

/** Reads images of one namespace as trees; a document that several images share is read once. */
export class ImageTrees {
  readonly #content: Content;
  readonly #platforms: readonly Platform[];
  readonly #options: CallOptions;
  readonly #documents: Documents;
  readonly #limiter = new Limiter(readsAtOnce);
  readonly #nodes = new Map<string, Promise<ImageNode>>();

  /** With `platforms`, only those are followed in indexes. */
  constructor(
    content: Content,
    { platforms = [], ...options }: CallOptions & { platforms?: readonly Platform[] | undefined } = {},
  ) {
    this.#content = content;
    this.#platforms = platforms;
    this.#options = options;
    this.#documents = new Documents(content, options);
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

  #node(descriptor: Descriptor, depth: number): Promise<ImageNode> {
    const key = `${descriptor.mediaType} ${descriptor.digest}`; // one blob under two types is two nodes
    const node = this.#nodes.get(key) ?? this.#read(descriptor, depth);
    this.#nodes.set(key, node);
    return node;
  }

  async #read(descriptor: Descriptor, depth: number): Promise<ImageNode> {
    const leaf = { descriptor, children: [], gcLabels: {}, absent: false };
    if (!hasChildren(descriptor.mediaType)) return leaf;
    if (depth > maxIndexDepth) {
      throw new SyntaxError(
        `Cannot read image index ${descriptor.digest}: more than ${maxIndexDepth} indexes deep`,
      );
    }
    const document = await this.#limiter.run(() => this.#documents.find(descriptor));
    if (document === undefined) return { ...leaf, absent: true };
    const selected = children(document)
      .map((child) => child.descriptor)
      .filter(this.#selection(document, descriptor));
    return {
      ...leaf,
      children: await Promise.all(selected.map((child) => this.#node(child, depth + 1))),
      gcLabels: gcLabels(document),
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
    const document = config && await this.#documents.findConfig(config.descriptor);
    if (document === undefined) return; // what is missing is reported as such
    const { platform } = document;
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

/** Every node of the tree once, children before their parents. */
export function nodesOf(root: ImageNode): ImageNode[] {
  const found = new Set<ImageNode>();
  visit(root);
  return [...found];

  function visit(node: ImageNode): void {
    if (found.has(node)) return; // a node that two others share would else be walked twice, and so on below it
    node.children.forEach(visit);
    found.add(node);
  }
}

/** What of an index is for a platform. Children without one (nested indexes, mostly) are followed for every one. */
export function bestFor(platform: Platform, { manifests }: ImageIndex): Descriptor[] {
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
