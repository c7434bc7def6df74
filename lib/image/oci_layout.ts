import { type Descriptor, isAttestation } from "../oci/descriptor.ts";
import { parseIndex } from "../oci/document.ts";
import { JsonObject } from "../oci/json.ts";
import { hasChildren, mediaTypes } from "../oci/media_types.ts";
import { quoted } from "../oci/quoted.ts";

/** An image in an archive. */
export interface ArchivedImage {
  target: Descriptor;
  /** In full, as containerd and docker name it; absent when the archive gives none. */
  name?: string;
  /** OCI's name where there is no other: a reference, or a tag alone. */
  ref?: string;
}

/** The annotations with which an archive names its images: containerd's holds all of the name, that of OCI maybe just the tag. */
export const nameAnnotations = {
  image: "io.containerd.image.name",
  ref: "org.opencontainers.image.ref.name",
} as const;

/** That an image is about another one, as newer containerds mark it when they export both. */
const subjectAnnotation = "io.containerd.manifest.subject";

/**
 * The images that an OCI layout's `index.json` lists. What is no image is passed over, and statements about images are,
 * too, unless they have names.
 *
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md}
 * @throws {SyntaxError} when it is malformed, of an unknown version, or lists no image.
 */
export function parseLayout({ layout, index }: { layout: Uint8Array; index: Uint8Array }): ArchivedImage[] {
  const version = JsonObject.parse(layout, "oci-layout").string("imageLayoutVersion") ?? "";
  if (version !== "1.0.0") {
    throw new SyntaxError(`Cannot parse oci-layout: version ${quoted(version)} is not known`);
  }
  const { manifests } = parseIndex(index, { mediaType: mediaTypes.ociIndex });
  const images = manifests.filter(({ mediaType }) => hasChildren(mediaType)).map(named)
    .filter(({ target, name, ref }) =>
      name || ref || !(isAttestation(target) || target.annotations?.[subjectAnnotation])
    );
  if (images.length === 0) throw new SyntaxError("Cannot parse index.json: it lists no image");
  return images;
}

function named(target: Descriptor): ArchivedImage {
  const { [nameAnnotations.image]: name, [nameAnnotations.ref]: ref } = target.annotations ?? {};
  return { target, ...(name ? { name } : ref && { ref }) };
}
