import type { NamespacedClient } from "../client.ts";
import { Limiter, mapConcurrent } from "../concurrency.ts";
import { NotFoundError } from "../errors.ts";
import type { Image } from "../images.ts";
import { chainIds } from "../oci/chain_ids.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { ImageManifest } from "../oci/document.ts";
import { formatPlatform, hostPlatform, parsePlatform, type Platform } from "../oci/platform.ts";
import type { Snapshots } from "../snapshots.ts";
import type { CallOptions } from "../transport/transport.ts";
import { Documents, isBadContent } from "./documents.ts";
import { findManifest, findManifests, type Manifests } from "./manifest.ts";

/** How much of an image is in its namespace. Counted are, as `ctr` does, configs and layers. */
export interface ImageCheck {
  /** `"unavailable"`: there is no manifest to tell what is needed. `"error"`: a document is broken. */
  status: "complete" | "incomplete" | "unavailable" | "error";
  /** How many blobs are there. */
  present: number;
  /** How many are needed; absent when a manifest is missing, so that nobody knows. */
  required?: number;
  /** Bytes that are there. */
  presentSize: number;
  /** Bytes that are needed; absent when nobody knows. */
  requiredSize?: number;
  /** What is not there: documents too. */
  missing: Descriptor[];
  /** Whether the layers are unpacked for the first platform; absent unless asked for. */
  unpacked?: boolean;
  /** What is broken, or for which platforms the image has nothing. */
  reason?: string;
}

/** An image and how much of it is in its namespace. */
export interface CheckedImage extends ImageCheck {
  /** What was checked. */
  image: Image;
}

/** What to check. */
export interface CheckOptions extends CallOptions {
  /** `linux/arm64`, …: what must be complete. Default: the platform of this machine. */
  platforms?: readonly string[] | undefined;
  /** All that the image declares must be complete, attestations too, whatever `platforms` says. */
  allPlatforms?: boolean | undefined;
  /** Look there whether the image is unpacked. */
  snapshotter?: string | undefined;
  /** Digests of blobs that are there, from a list: they are not asked for one by one. */
  known?: ReadonlySet<string> | undefined;
}

const imagesAtOnce = 8;
const lookupsAtOnce = 16;

/**
 * Checks whether all that an image needs is in its namespace.
 *
 * ```ts
 * import { checkImage, type NamespacedClient } from "davit";
 *
 * async function example(client: NamespacedClient) {
 *   const image = await client.images.get("example.com/app:1");
 *   const { status, missing } = await checkImage(client, image, { platforms: ["linux/arm64"] });
 *   if (status !== "complete") console.log(missing.map(({ digest }) => digest));
 * }
 * ```
 *
 * @throws {InvalidArgumentError} when containerd has no such snapshotter.
 * @throws {SyntaxError} when a platform is malformed.
 */
export async function checkImage(
  client: NamespacedClient,
  image: Image,
  options: CheckOptions = {},
): Promise<ImageCheck> {
  return await new Checker(client, options).check(image.target);
}

/**
 * Checks several images, in their order; what they share is looked up once.
 *
 * ```ts
 * import { checkImages, type NamespacedClient } from "davit";
 *
 * async function example(client: NamespacedClient) {
 *   for await (const { image, status } of checkImages(client, client.images.list())) {
 *     console.log(image.name, status);
 *   }
 * }
 * ```
 *
 * @throws {InvalidArgumentError} when containerd has no such snapshotter.
 * @throws {SyntaxError} when a platform is malformed.
 */
export async function* checkImages(
  client: NamespacedClient,
  images: Iterable<Image> | AsyncIterable<Image>,
  options: CheckOptions = {},
): AsyncIterable<CheckedImage> {
  const checker = new Checker(client, options);
  const work = async (image: Image) => ({ image, ...await checker.check(image.target) });
  yield* mapConcurrent(images, work, { limit: imagesAtOnce });
}

/** What an image needs, as far as its documents are there to tell. */
interface Needed extends Manifests {
  /** For which platforms it has nothing. */
  unmet: Platform[];
  /** The manifest for the first platform. */
  first: ImageManifest | undefined;
}

class Checker {
  readonly #client: NamespacedClient;
  readonly #platforms: readonly Platform[];
  readonly #allPlatforms: boolean;
  readonly #snapshots: Snapshots | undefined;
  readonly #known: ReadonlySet<string>;
  readonly #options: CallOptions;
  readonly #limiter = new Limiter(lookupsAtOnce);
  readonly #lookups = new Map<string, Promise<boolean>>();

  constructor(
    client: NamespacedClient,
    { platforms, allPlatforms = false, snapshotter, known = new Set(), ...options }: CheckOptions,
  ) {
    this.#client = client;
    const host = hostPlatform(Deno.build);
    this.#platforms = platforms?.length ? platforms.map((text) => parsePlatform(text, { host })) : [host];
    this.#allPlatforms = allPlatforms;
    this.#snapshots = snapshotter === undefined ? undefined : client.snapshots(snapshotter);
    this.#known = known;
    this.#options = options;
  }

  async check(target: Descriptor): Promise<ImageCheck> {
    try {
      return await this.#check(target);
    } catch (error) {
      if (!isBadContent(error)) throw error;
      return { status: "error", present: 0, presentSize: 0, missing: [], reason: error.message };
    }
  }

  async #check(target: Descriptor): Promise<ImageCheck> {
    const documents = new Documents(this.#client.content, this.#options);
    const { manifests, first, unmet, ...needed } = await this.#needed(target, documents);
    const required = manifests.flatMap(({ config, layers }) => [config, ...layers]);
    const isPresent = await Promise.all(required.map(({ digest }) => this.#has(digest)));
    const present = required.filter((_, i) => isPresent[i]);
    const missing = [...needed.missing, ...required.filter((_, i) => !isPresent[i])];
    const knowsAll = needed.missing.length === 0 && unmet.length === 0;
    return {
      status: manifests.length === 0
        ? "unavailable"
        : knowsAll && missing.length === 0
        ? "complete"
        : "incomplete",
      present: present.length,
      presentSize: sizeOf(present),
      ...(knowsAll && { required: required.length, requiredSize: sizeOf(required) }),
      ...(unmet.length > 0 &&
        { reason: `no manifest for ${unmet.map((platform) => formatPlatform(platform)).join(", ")}` }),
      missing: [...new Map(missing.map((descriptor) => [descriptor.digest, descriptor])).values()],
      ...(this.#snapshots && {
        unpacked: await isUnpacked(this.#snapshots, {
          documents,
          manifest: first,
          ...this.#options,
        }),
      }),
    };
  }

  async #needed(target: Descriptor, documents: Documents): Promise<Needed> {
    const paths = await Promise.all(
      this.#platforms.map((platform) => findManifest(documents, { target, platform })),
    );
    const first = paths[0]?.manifest;
    if (this.#allPlatforms) return { ...await findManifests(documents, target), unmet: [], first };
    return {
      manifests: [...new Set(paths.flatMap(({ manifest }) => manifest ?? []))],
      missing: paths.flatMap(({ missing }) => missing ?? []),
      unmet: this.#platforms.filter((_, i) => !paths[i]?.manifest && !paths[i]?.missing),
      first,
    };
  }

  #has(digest: string): Promise<boolean> {
    if (this.#known.has(digest)) return Promise.resolve(true);
    const lookup = this.#lookups.get(digest) ?? this.#limiter.run(async () => {
      return await this.#client.content.find(digest, this.#options) !== undefined;
    });
    this.#lookups.set(digest, lookup);
    return lookup;
  }
}

/** Whether the snapshot of the topmost layer is there. */
async function isUnpacked(
  snapshots: Snapshots,
  { documents, manifest, ...options }:
    & { documents: Documents; manifest: ImageManifest | undefined }
    & CallOptions,
): Promise<boolean> {
  const config = manifest && await documents.findConfig(manifest.config);
  const top = (await chainIds(config?.diffIds ?? [])).at(-1);
  if (top === undefined) return false;
  try {
    await snapshots.stat(top, options);
    return true;
  } catch (error) {
    if (error instanceof NotFoundError) return false;
    throw error;
  }
}

function sizeOf(descriptors: readonly Descriptor[]): number {
  return descriptors.reduce((sum, { size }) => sum + size, 0);
}
