import type { NamespacedClient } from "../client.ts";
import { mapConcurrent } from "../concurrency.ts";
import type { Image } from "../images.ts";
import { type Descriptor, isAttestation } from "../oci/descriptor.ts";
import type { ImageManifest } from "../oci/document.ts";
import { hasChildren, isNonDistributable } from "../oci/media_types.ts";
import { formatPlatform, normalizePlatform, type Platform } from "../oci/platform.ts";
import type { CallOptions } from "../transport/transport.ts";
import { Documents, unlessBad } from "./documents.ts";

const readsAtOnce = 32;

/**
 * The platforms of which images are complete in their namespace, by the digest of their targets. What cannot be read is
 * left out, and so is what says of no platform.
 */
export async function platformsPresent(
  client: NamespacedClient,
  images: readonly Image[],
  { has, ...options }: CallOptions & { has: (digest: string) => boolean },
): Promise<Map<string, Platform[]>> {
  const documents = new Documents(client.content, options);
  const targets = new Map(images.map(({ target }) => [target.digest, target]));
  const work = async (target: Descriptor) =>
    [target.digest, await presentBelow(target, { documents, has })] as const;
  return new Map(await Array.fromAsync(mapConcurrent(targets.values(), work, { limit: readsAtOnce })));
}

interface Reading {
  documents: Documents;
  has: (digest: string) => boolean;
}

async function presentBelow(target: Descriptor, reading: Reading): Promise<Platform[]> {
  const found = new Map<string, Platform>();
  const ways = [target];
  const seen = new Set<string>(); // indexes may share children: following each way to them could take for ever
  for (const descriptor of ways) {
    const { mediaType, digest, platform } = descriptor;
    const key = JSON.stringify([mediaType, digest, platform]);
    if (seen.has(key) || !hasChildren(mediaType) || isAttestation(descriptor)) continue;
    seen.add(key);
    const document = await unlessBad(reading.documents.find(descriptor));
    if (document === undefined) continue;
    if ("manifests" in document) {
      ways.push(...document.manifests);
    } else if (isWhole(document, reading)) {
      const known = platform ?? (await unlessBad(reading.documents.findConfig(document.config)))?.platform;
      const normal = known && normalizePlatform(known);
      if (normal?.os) found.set(formatPlatform(normal), normal);
    }
  }
  return [...found.values()];
}

function isWhole({ config, layers }: ImageManifest, { has }: Reading): boolean {
  return [config, ...layers].every(({ digest, mediaType }) => has(digest) || isNonDistributable(mediaType));
}
