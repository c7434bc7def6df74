import type { Descriptor } from "./descriptor.ts";
import type { ImageDocument } from "./document.ts";
import type { Platform } from "./platform.ts";

/**
 * The bytes of an index or manifest: compact JSON, members in the order in which containerd writes them, so that the
 * same image gets the same digest.
 */
export function encodeDocument(document: ImageDocument): Uint8Array<ArrayBuffer> {
  const { mediaType, artifactType, subject, annotations } = document;
  const body = "manifests" in document
    ? { manifests: document.manifests.map(toJson) }
    : { config: toJson(document.config), layers: document.layers.map(toJson) };
  return new TextEncoder().encode(JSON.stringify({
    schemaVersion: 2,
    mediaType,
    artifactType,
    ...body,
    subject: subject && toJson(subject),
    annotations: annotations && sorted(annotations),
  }));
}

function toJson({ mediaType, digest, size, urls, annotations, platform, artifactType }: Descriptor): object {
  return {
    mediaType,
    digest,
    size,
    urls,
    annotations: annotations && sorted(annotations),
    platform: platform && platformToJson(platform),
    artifactType,
  };
}

function platformToJson({ architecture, os, osVersion, osFeatures, variant }: Platform): object {
  return { architecture, os, "os.version": osVersion, "os.features": osFeatures, variant };
}

/** Go writes the keys of a map in the order of their bytes. */
function sorted(map: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(map).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
