/** The files with which an archive says what is in it. */
import type { Descriptor } from "../oci/descriptor.ts";
import { encodeDocument } from "../oci/encode.ts";
import { mediaTypes } from "../oci/media_types.ts";
import { formatFamiliar, parseReference } from "../oci/reference.ts";
import type { PlannedImage } from "./export_plan.ts";
import { nameAnnotations } from "./oci_layout.ts";

/** Where a blob is in an OCI layout. */
export function blobPath({ digest }: Pick<Descriptor, "digest">): string {
  return `blobs/${digest.replace(":", "/")}`;
}

/** The descriptions of an archive, by name: of an OCI layout, and where docker can use an image, docker's. */
export function descriptionsOf(images: readonly PlannedImage[]): Map<string, Uint8Array> {
  const manifests = images.map(({ image: { name, target } }) => ({
    ...target,
    annotations: {
      ...target.annotations,
      [nameAnnotations.image]: name,
      [nameAnnotations.ref]: referenceIn(name),
    },
  }));
  const descriptions = new Map<string, Uint8Array>([
    ["oci-layout", json({ imageLayoutVersion: "1.0.0" })],
    ["index.json", encodeDocument({ mediaType: mediaTypes.ociIndex, manifests })],
  ]);
  const saved = savedImages(images);
  if (saved.length > 0) descriptions.set("manifest.json", json(saved));
  return descriptions;
}

interface SavedImage {
  Config: string;
  RepoTags: string[] | null;
  Layers: string[];
}

/** Docker's list of images, one for each config with all its tags. */
function savedImages(images: readonly PlannedImage[]): SavedImage[] {
  const saved = new Map<string, SavedImage>();
  for (const { image: { name }, forDocker } of images) {
    if (forDocker === undefined) continue;
    const { config, layers } = forDocker;
    const tag = dockerTag(name);
    const before = saved.get(config.digest)?.RepoTags ?? null;
    const RepoTags = tag === undefined ? before : [...before ?? [], tag];
    saved.set(config.digest, { Config: blobPath(config), RepoTags, Layers: layers.map(blobPath) });
  }
  return [...saved.values()];
}

/** The name as docker shows it; `undefined` for one without a tag, with which docker would refuse the whole archive. */
function dockerTag(name: string): string | undefined {
  try {
    const reference = parseReference(name);
    return reference.digest === undefined ? formatFamiliar(reference) : undefined;
  } catch {
    return undefined;
  }
}

/** What containerd puts down as OCI's name of a reference: its tag or digest, the whole name where no host comes first. */
function referenceIn(name: string): string {
  return /^[^/]+\/[^:@]*:?(.*)$/.exec(name)?.[1] ?? name;
}

function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
