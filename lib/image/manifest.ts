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
    if (path.length > maxIndexDepth) {
      throw new SyntaxError(
        `Cannot read image index ${target.digest}: more than ${maxIndexDepth} indexes deep`,
      );
    }
    const document = await documents.find(next);
    if (document === undefined) return { documents: path, missing: next };
    path.push(next);
    if ("config" in document) return { documents: path, manifest: document };
    next = bestChild(document, platform);
  }
  return { documents: path };
}

/** What suits the platform best; of children that name no platform the first, if nothing else suits. */
function bestChild({ manifests }: ImageIndex, wanted: Platform): Descriptor | undefined {
  const order = byPreference(wanted);
  const [best] = manifests
    .filter(({ platform }) => platform !== undefined && matchesPlatform(wanted, platform))
    .toSorted((a, b) => order(a.platform!, b.platform!));
  return best ?? manifests.find(({ platform }) => platform === undefined);
}
