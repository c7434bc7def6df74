import type { Descriptor } from "./descriptor.ts";
import type { ImageDocument } from "./document.ts";
import { isConfig, isLayer, isManifest, mediaTypes } from "./media_types.ts";

/** Content that a document points to, with the label on the document that keeps it from garbage collection. */
export interface Child {
  /** What the document says of it. */
  descriptor: Descriptor;
  /** The label's key, `containerd.io/gc.ref.content.l.0`; its value is the digest. */
  gcLabel: string;
}

/**
 * What a document points to, in its order; a digest that it names twice comes twice. The labels are those that
 * containerd itself sets, numbered per kind of child over all of them.
 *
 * @see {@link https://github.com/containerd/containerd/blob/v2.1.9/core/images/handlers.go}
 */
export function children(document: ImageDocument): Child[] {
  const descriptors = "manifests" in document ? document.manifests : [document.config, ...document.layers];
  const counts = new Map<string, number>();
  return descriptors.map((descriptor) => {
    const prefix = labelPrefix(descriptor.mediaType);
    const count = counts.get(prefix) ?? 0;
    counts.set(prefix, count + 1);
    const number = count > 0 || prefix.endsWith(".") ? count : "";
    return { descriptor, gcLabel: `${prefix}${number}` };
  });
}

/** The labels that keep all children of the document, as label to digest. */
export function gcLabels(document: ImageDocument): Record<string, string> {
  return Object.fromEntries(
    children(document).map(({ gcLabel, descriptor }) => [gcLabel, descriptor.digest]),
  );
}

function labelPrefix(mediaType: string): string {
  const base = "containerd.io/gc.ref.content.";
  if (
    isConfig(mediaType) || mediaType === mediaTypes.checkpoint || mediaType === mediaTypes.checkpointConfig
  ) {
    return `${base}config`;
  }
  if (isManifest(mediaType)) return `${base}m.`;
  return isLayer(mediaType) ? `${base}l.` : base;
}
