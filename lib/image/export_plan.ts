import type { NamespacedClient } from "../client.ts";
import { mapConcurrent } from "../concurrency.ts";
import { containerdError, NotFoundError } from "../errors.ts";
import type { Image } from "../images.ts";
import { type Descriptor, isAttestation } from "../oci/descriptor.ts";
import { isConfig, isIndex, isLayer } from "../oci/media_types.ts";
import {
  formatPlatform,
  hostPlatform,
  normalizePlatform,
  parsePlatform,
  type Platform,
} from "../oci/platform.ts";
import { byPreference, matchesPlatform } from "../oci/platform_match.ts";
import { quoted } from "../oci/quoted.ts";
import type { CallOptions } from "../transport/transport.ts";
import { Documents } from "./documents.ts";
import { branchesOf, type Found, lookUp, manifestsOf, missingFrom } from "./presence.ts";
import { type ImageNode, ImageTrees, nodesOf } from "./tree.ts";

/** Which platforms of images to export. */
export interface PlatformChoice {
  /** `linux/arm64`, …: only these, and each must be complete. Default: all that are complete. */
  platforms?: readonly string[] | undefined;
  /** Every platform must be complete. */
  allPlatforms?: boolean | undefined;
}

/** What to export of an image. */
export interface PlannedImage {
  image: Image;
  /** The blobs, each once. */
  blobs: Descriptor[];
  /** The platforms that are exported. */
  platforms: string[];
  /** The platforms that are not, because they are not complete. */
  missing: string[];
  /** The one platform that docker gets, for which an archive has no room for more. */
  forDocker?: { config: Descriptor; layers: Descriptor[] };
}

const imagesAtOnce = 16;

/** How many manifests that lack something an error names. */
const maxNamed = 3;

/**
 * Finds out what there is to export.
 *
 * @throws {NotFoundError} when an image is incomplete, or has none of the wanted platforms.
 * @throws {SyntaxError} when a platform or a document is malformed.
 */
export async function planExport(
  client: NamespacedClient,
  images: Iterable<Image>,
  { platforms = [], allPlatforms = false, isWhole = false, action = "export", ...options }:
    & PlatformChoice
    & CallOptions
    & {
      /** All that indexes point to must be complete, also statements about images: registries want no less. */
      isWhole?: boolean;
      action?: string;
    } = {},
): Promise<PlannedImage[]> {
  const host = hostPlatform(Deno.build);
  const planner = new Planner(client, {
    wanted: platforms.map((text) => parsePlatform(text, { host })),
    host,
    all: allPlatforms || isWhole || platforms.length > 0,
    isWhole,
    action,
    options,
  });
  const work = (image: Image) => planner.read(image);
  const trees = await Array.fromAsync(mapConcurrent(images, work, { limit: imagesAtOnce }));
  return await planner.plan(trees);
}

interface ImageTree {
  image: Image;
  tree: ImageNode;
}

class Planner {
  readonly #client: NamespacedClient;
  readonly #trees: ImageTrees;
  readonly #documents: Documents;
  /** What docker is to get, the best first. */
  readonly #preferred: readonly Platform[];
  /** Whatever was selected has to be complete. */
  readonly #all: boolean;
  /** Statements about images, too. */
  readonly #isWhole: boolean;
  /** For errors. */
  readonly #action: string;
  readonly #options: CallOptions;

  constructor(
    client: NamespacedClient,
    { wanted, host, all, isWhole, action, options }: {
      wanted: Platform[];
      host: Platform;
      all: boolean;
      isWhole: boolean;
      action: string;
      options: CallOptions;
    },
  ) {
    this.#client = client;
    this.#trees = new ImageTrees(client.content, { platforms: wanted, ...options });
    this.#documents = new Documents(client.content, options);
    this.#preferred = wanted.length > 0 ? wanted : [host];
    this.#all = all;
    this.#isWhole = isWhole;
    this.#action = action;
    this.#options = options;
  }

  async read(image: Image): Promise<ImageTree> {
    const { target } = image;
    try {
      return { image, tree: await this.#trees.read(target) };
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
      const isThere = await this.#client.content.find(target.digest, this.#options) !== undefined;
      throw this.#impossible(image, isThere ? error.reason : absent(target));
    }
  }

  async plan(trees: ImageTree[]): Promise<PlannedImage[]> {
    const digests = trees.flatMap(({ tree }) => nodesOf(tree).map(({ descriptor }) => descriptor.digest));
    const has = await lookUp(this.#client, digests, this.#options);
    return await Promise.all(trees.map((tree) => this.#planImage(tree, has)));
  }

  async #planImage({ image, tree }: ImageTree, has: Found): Promise<PlannedImage> {
    const manifests = this.#isWhole ? branchesOf(tree) : manifestsOf(tree);
    const lacking = manifests.filter((manifest) => missingFrom(manifest, has));
    const complete = manifests.filter((manifest) => !lacking.includes(manifest));
    if (lacking.length > 0 && (this.#all || complete.length === 0)) {
      throw this.#impossible(image, await this.#reasonOf(tree, { lacking, has }));
    }
    if (complete.length === 0) throw this.#impossible(image, "it holds nothing for any platform");
    const whole = branchesOf(tree).filter((branch) => !missingFrom(branch, has)).flatMap(nodesOf);
    const indexes = nodesOf(tree).filter(({ descriptor }) => isIndex(descriptor.mediaType));
    const blobs = [...indexes, ...whole].map(({ descriptor }) => descriptor)
      .filter(({ digest }) => has.has(digest));
    const forDocker = await this.#bestFor(complete.filter((manifest) => suitsDocker(manifest, has)));
    return {
      image,
      blobs: [...new Map(blobs.map((blob) => [blob.digest, blob])).values()],
      platforms: await this.#namesOf(complete),
      missing: await this.#namesOf(lacking),
      ...(forDocker && { forDocker }),
    };
  }

  async #bestFor(manifests: ImageNode[]): Promise<PlannedImage["forDocker"]> {
    const candidates = await Promise.all(manifests.map(async (manifest) => ({
      manifest,
      platform: await this.#platformOf(manifest),
    })));
    const best = this.#preferred.flatMap((wanted) => {
      const order = byPreference(wanted);
      return candidates.filter(({ platform }) => platform && matchesPlatform(wanted, platform))
        .toSorted((a, b) => order(a.platform!, b.platform!));
    });
    const [config, ...layers] = (best[0] ?? candidates[0])?.manifest.children ?? [];
    return config && { config: config.descriptor, layers: layers.map(({ descriptor }) => descriptor) };
  }

  /** An index says what its manifests are for, a manifest alone only its config. */
  async #platformOf({ descriptor, children: [config] }: ImageNode): Promise<Platform | undefined> {
    if (descriptor.platform) return descriptor.platform;
    const isReadable = config && isConfig(config.descriptor.mediaType);
    return isReadable ? (await this.#documents.findConfig(config.descriptor))?.platform : undefined;
  }

  async #namesOf(manifests: ImageNode[]): Promise<string[]> {
    return await Promise.all(manifests.map(async (manifest) => {
      const platform = await this.#platformOf(manifest);
      return platform?.os ? formatPlatform(normalizePlatform(platform)) : manifest.descriptor.digest;
    }));
  }

  async #reasonOf(
    tree: ImageNode,
    { lacking, has }: { lacking: ImageNode[]; has: Found },
  ): Promise<string> {
    if (lacking[0] === tree) return absent(missingFrom(tree, has)!);
    const named = lacking.slice(0, maxNamed);
    const names = await this.#namesOf(named);
    const reasons = named.map((manifest, i) => {
      const name = isAttestation(manifest.descriptor) ? "attestation" : names[i]!;
      return `its ${name} lacks content ${described(missingFrom(manifest, has)!)}`;
    });
    const others = lacking.length - named.length;
    return [...reasons, ...others > 0 ? [`and ${others} more are not complete`] : []].join(", ");
  }

  #impossible({ name }: Image, reason: string): Error {
    return containerdError({
      code: "not_found",
      reason,
      outcome: "refused",
      action: this.#action,
      resource: `image ${quoted(name)}`,
      namespace: this.#client.name,
    });
  }
}

/** Whether docker could load it: an image whose layers are all there. */
function suitsDocker({ children: [config, ...layers] }: ImageNode, has: Found): boolean {
  return config !== undefined && isConfig(config.descriptor.mediaType) &&
    layers.every(({ descriptor: { mediaType, digest } }) => isLayer(mediaType) && has.has(digest));
}

function absent(descriptor: Descriptor): string {
  return `its content ${described(descriptor)} is not there`;
}

function described({ digest, mediaType }: Descriptor): string {
  return `${digest} (${mediaType})`;
}
