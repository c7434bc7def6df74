import type { NamespacedClient } from "../client.ts";
import { containerdError } from "../errors.ts";
import type { Image } from "../images.ts";
import type { HistoryEntry, ImageConfig } from "../oci/config.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import {
  formatPlatform,
  hostPlatform,
  normalizePlatform,
  parsePlatform,
  type Platform,
} from "../oci/platform.ts";
import { matchesPlatform } from "../oci/platform_match.ts";
import { quoted } from "../oci/quoted.ts";
import type { CallOptions } from "../transport/transport.ts";
import { Documents } from "./documents.ts";
import { findManifest } from "./manifest.ts";

/** A step of an image's build, with the layer that it made. */
export interface BuildStep extends HistoryEntry {
  /** The bytes of its layer as stored, which is mostly packed; 0 when it made none, absent when nobody knows. */
  size?: number;
  /** Of its layer. */
  digest?: string;
}

/** Whose history to read. */
export interface HistoryOptions extends CallOptions {
  /** `linux/arm64`. Default: that of this machine. */
  platform?: string | undefined;
}

/**
 * The steps in which an image was built, the last one first.
 *
 * ```ts
 * import { imageHistory, type NamespacedClient } from "davit";
 *
 * async function example(client: NamespacedClient) {
 *   const image = await client.images.get("docker.io/library/busybox:latest");
 *   for (const { createdBy, size } of await imageHistory(client, image)) console.log(createdBy, size);
 * }
 * ```
 *
 * @throws {NotFoundError} when the image has no such platform, or its manifest or config is not there.
 * @throws {SyntaxError} when a document or the platform is malformed.
 */
export async function imageHistory(
  client: NamespacedClient,
  { name, target }: Image,
  { platform, ...options }: HistoryOptions = {},
): Promise<BuildStep[]> {
  const host = hostPlatform(Deno.build);
  const wanted = platform === undefined ? host : parsePlatform(platform, { host });
  const documents = new Documents(client.content, options);
  const { manifest, missing } = await findManifest(documents, { target, platform: wanted });
  const config = manifest && await documents.findConfig(manifest.config);
  const absent = missing ?? (config === undefined ? manifest?.config : undefined);
  if (absent) await client.content.info(absent.digest, options); // throws what there is to say
  // A manifest without an index is taken as it is, unless a platform was asked for.
  const suits = config &&
    (platform === undefined || matchesPlatform(wanted, normalizePlatform(config.platform)));
  if (!manifest || !suits) throw noSuchPlatform(name, { namespace: client.name, wanted });
  return buildSteps(config, manifest.layers);
}

/** Gives each step that made a layer its layer. Layers that no step tells of stand for themselves. */
export function buildSteps(
  { history }: Pick<ImageConfig, "history">,
  layers: readonly Descriptor[],
): BuildStep[] {
  const rest = [...layers];
  const steps = history.map((entry): BuildStep => {
    if (entry.emptyLayer) return { ...entry, size: 0 };
    return { ...entry, ...ofLayer(rest.shift()) };
  });
  const untold = rest.map((layer): BuildStep => ({ emptyLayer: false, ...ofLayer(layer) }));
  return [...steps, ...untold].reverse();
}

function ofLayer(layer: Descriptor | undefined): Pick<BuildStep, "size" | "digest"> {
  return layer === undefined ? {} : { size: layer.size, digest: layer.digest };
}

function noSuchPlatform(
  name: string,
  { namespace, wanted }: { namespace: string; wanted: Platform },
): Error {
  return containerdError({
    code: "not_found",
    reason: `no manifest for ${formatPlatform(wanted)}`,
    outcome: "refused",
    action: "read the history of",
    resource: `image ${quoted(name)}`,
    namespace,
  });
}
