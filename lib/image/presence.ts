/** What of images a namespace has. */
import type { NamespacedClient } from "../client.ts";
import { mapConcurrent } from "../concurrency.ts";
import type { ContentInfo } from "../content.ts";
import { type Descriptor, isAttestation } from "../oci/descriptor.ts";
import { isIndex, isNonDistributable } from "../oci/media_types.ts";
import type { CallOptions } from "../transport/transport.ts";
import { type ImageNode, nodesOf } from "./tree.ts";

/** Blobs that a namespace has, by digest. */
export type Found = ReadonlyMap<string, ContentInfo>;

/** More blobs than this are looked up with one list instead of one call each. */
const listAbove = 64;

const lookupsAtOnce = 16;

/** What a namespace knows of these blobs; those that it lacks are missing. */
export async function lookUp(
  client: NamespacedClient,
  digests: Iterable<string>,
  options: CallOptions,
): Promise<Found> {
  const wanted = new Set(digests);
  const found = new Map<string, ContentInfo>();
  if (wanted.size > listAbove) {
    for await (const info of client.content.list(options)) {
      if (wanted.has(info.digest)) found.set(info.digest, info);
    }
    return found;
  }
  const work = (digest: string) => client.content.find(digest, options);
  for await (const info of mapConcurrent(wanted, work, { limit: lookupsAtOnce })) {
    if (info) found.set(info.digest, info);
  }
  return found;
}

/** What an image holds for one platform each: all that its indexes point to, but for statements about images. */
export function manifestsOf(tree: ImageNode): ImageNode[] {
  return branchesOf(tree).filter((node) => node === tree || !isAttestation(node.descriptor));
}

/** All that the indexes of an image point to, other than further indexes; the image itself when it is no index. */
export function branchesOf(tree: ImageNode): ImageNode[] {
  const indexes = new Set(nodesOf(tree).filter(isPresentIndex));
  const children = indexes.size === 0 ? [tree] : [...indexes].flatMap(({ children }) => children);
  return [...new Set(children)].filter((node) => !indexes.has(node));
}

/** The first blob of a tree that the namespace lacks and that an image cannot do without. */
export function missingFrom(tree: ImageNode, has: Found): Descriptor | undefined {
  return nodesOf(tree).map(({ descriptor }) => descriptor)
    .find(({ digest, mediaType }) => !has.has(digest) && !isNonDistributable(mediaType));
}

function isPresentIndex({ descriptor, absent }: ImageNode): boolean {
  return isIndex(descriptor.mediaType) && !absent;
}
