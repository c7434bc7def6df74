import type { Descriptor } from "../oci/descriptor.ts";
import { type ImageIndex, type ImageManifest, maxIndexDepth } from "../oci/document.ts";
import { hasChildren } from "../oci/media_types.ts";
import type { Platform } from "../oci/platform.ts";
import { byPreference, matchesPlatform } from "../oci/platform_match.ts";
import type { Documents } from "./documents.ts";

/** The way from an image's target to its manifest for a platform, as far as it goes. */
export interface ManifestPath {
  /** The indexes on the way, and the manifest at its end. */
  documents: Descriptor[];
  /** Absent when the image has none for the platform, or when something is missing. */
  manifest?: ImageManifest;
  /** The document that the namespace lacks. */
  missing?: Descriptor;
}

/**
 * Finds the manifest that containerd would run on a platform. A target that is a manifest itself is taken as it is,
 * whatever it is for.
 *
 * @throws {SyntaxError} when a document is malformed, or indexes lie too deep in each other.
 */
export async function findManifest(
  documents: Documents,
  { target, platform }: { target: Descriptor; platform: Platform },
): Promise<ManifestPath> {
  const path: Descriptor[] = [];
  let next: Descriptor | undefined = target;
  while (next !== undefined && hasChildren(next.mediaType)) {
    if (path.length > maxIndexDepth) throw tooDeep(target);
    const document = await documents.find(next);
    if (document === undefined) return { documents: path, missing: next };
    path.push(next);
    if ("config" in document) return { documents: path, manifest: document };
    next = bestChild(document, platform);
  }
  return { documents: path };
}

/** All manifests of an image, of whatever platform, as far as they are there. */
export interface Manifests {
  manifests: ImageManifest[];
  /** The documents that the namespace lacks. */
  missing: Descriptor[];
}

/**
 * Finds every manifest below a target, each once.
 *
 * @throws {SyntaxError} when a document is malformed, or indexes lie too deep in each other.
 */
export async function findManifests(documents: Documents, target: Descriptor): Promise<Manifests> {
  const found: Manifests = { manifests: [], missing: [] };
  const ways = [{ descriptor: target, depth: 0 }];
  const seen = new Set<string>(); // indexes may share children: following each way to them could take for ever
  for (const { descriptor, depth } of ways) {
    const key = `${descriptor.mediaType} ${descriptor.digest}`;
    if (!hasChildren(descriptor.mediaType) || seen.has(key)) continue;
    seen.add(key);
    if (depth > maxIndexDepth) throw tooDeep(target);
    const document = await documents.find(descriptor);
    if (document === undefined) found.missing.push(descriptor);
    else if ("config" in document) found.manifests.push(document);
    else ways.push(...document.manifests.map((child) => ({ descriptor: child, depth: depth + 1 })));
  }
  return found;
}

function tooDeep({ digest }: Descriptor): SyntaxError {
  return new SyntaxError(`Cannot read image index ${digest}: more than ${maxIndexDepth} indexes deep`);
}

/** What suits the platform best; of children that name no platform the first, if nothing else suits. */
function bestChild({ manifests }: ImageIndex, wanted: Platform): Descriptor | undefined {
  const order = byPreference(wanted);
  const [best] = manifests
    .filter(({ platform }) => platform !== undefined && matchesPlatform(wanted, platform))
    .toSorted((a, b) => order(a.platform!, b.platform!));
  return best ?? manifests.find(({ platform }) => platform === undefined);
}
