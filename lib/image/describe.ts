import type { NamespacedClient } from "../client.ts";
import { mapConcurrent } from "../concurrency.ts";
import type { Content } from "../content.ts";
import type { Image } from "../images.ts";
import { children } from "../oci/children.ts";
import { type Descriptor, isAttestation } from "../oci/descriptor.ts";
import { hasChildren, isConfig } from "../oci/media_types.ts";
import {
  formatPlatform,
  hostPlatform,
  normalizePlatform,
  parsePlatform,
  type Platform,
} from "../oci/platform.ts";
import type { CallOptions } from "../transport/transport.ts";
import { Documents, unlessBad } from "./documents.ts";
import { findManifest } from "./manifest.ts";

/** An image with what its documents say. */
export interface DescribedImage extends Image {
  /** Bytes of all that one platform needs, documents included; absent when it cannot be told or has no such platform. */
  size?: number;
  /** What the image declares to run on (`linux/arm64`), be that content here or not; empty when it cannot be told. */
  platforms: string[];
}

/** Which platform's size to tell. */
export interface DescribeOptions extends CallOptions {
  /** `linux/arm64`. Default: that of this machine. */
  platform?: string | undefined;
}

const readsAtOnce = 32;

/**
 * Reads the size and the platforms of images from their documents, in the order of the images. Content that is missing
 * or broken is no error: what it would tell is left out.
 *
 * ```ts
 * import { describeImages, type NamespacedClient } from "davit";
 *
 * async function example(client: NamespacedClient) {
 *   for await (const { name, size, platforms } of describeImages(client, client.images.list())) {
 *     console.log(name, size, platforms);
 *   }
 * }
 * ```
 *
 * @throws {SyntaxError} when the platform is malformed.
 */
export async function* describeImages(
  client: NamespacedClient,
  images: Iterable<Image> | AsyncIterable<Image>,
  { platform, ...options }: DescribeOptions = {},
): AsyncIterable<DescribedImage> {
  const host = hostPlatform(Deno.build);
  const sized = platform === undefined ? host : parsePlatform(platform, { host });
  const known = new Map<string, Promise<Description>>();
  const work = async (image: Image): Promise<DescribedImage> => {
    const key = `${image.target.mediaType} ${image.target.digest}`;
    const description = known.get(key) ??
      describe(image.target, { content: client.content, platform: sized, options });
    known.set(key, description);
    return { ...image, ...await description };
  };
  yield* mapConcurrent(images, work, { limit: readsAtOnce });
}

type Description = Pick<DescribedImage, "size" | "platforms">;

async function describe(
  target: Descriptor,
  { content, platform, options }: { content: Content; platform: Platform; options: CallOptions },
): Promise<Description> {
  const documents = new Documents(content, options);
  const size = await unlessBad(sizeOf(target, { platform, documents }));
  const platforms = await unlessBad(platformsOf(target, documents)) ?? [];
  return { ...(size !== undefined && { size }), platforms };
}

async function sizeOf(
  target: Descriptor,
  { platform, documents }: { platform: Platform; documents: Documents },
): Promise<number | undefined> {
  if (!hasChildren(target.mediaType)) return target.size;
  const path = await findManifest(documents, { target, platform });
  if (path.manifest === undefined) return undefined;
  const needed = [...path.documents, path.manifest.config, ...path.manifest.layers];
  return needed.reduce((sum, { size }) => sum + size, 0);
}

/** Each platform once, sorted; `undefined` when a document that would tell is missing. */
async function platformsOf(target: Descriptor, documents: Documents): Promise<string[] | undefined> {
  const found = new Set<string>();
  const read = new Set<string>(); // indexes may share children: following each way to them could take for ever
  const ways = [target];
  for (const descriptor of ways) {
    if (isAttestation(descriptor)) continue;
    if (descriptor.platform) {
      found.add(withoutVersion(descriptor.platform));
      continue;
    }
    if (read.has(descriptor.digest)) continue;
    read.add(descriptor.digest);
    if (isConfig(descriptor.mediaType)) {
      const config = await documents.findConfig(descriptor);
      if (config === undefined) return undefined;
      found.add(withoutVersion(normalizePlatform(config.platform)));
    } else if (hasChildren(descriptor.mediaType)) {
      const document = await documents.find(descriptor);
      if (document === undefined) return undefined;
      ways.push(...children(document).map(({ descriptor }) => descriptor));
    }
  }
  return [...found].sort();
}

/** As `ctr` shows it; Windows images have a version as well. */
function withoutVersion({ os, architecture, variant }: Platform): string {
  return formatPlatform({ os, architecture, ...(variant && { variant }) });
}
