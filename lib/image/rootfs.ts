import type { NamespacedClient } from "../client.ts";
import { containerdError, type ErrorDetails, NotFoundError } from "../errors.ts";
import type { Image } from "../images.ts";
import { chainIds } from "../oci/chain_ids.ts";
import { parseConfig } from "../oci/config.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { isLayer } from "../oci/media_types.ts";
import { formatPlatform, hostPlatform, normalizePlatform, parsePlatform } from "../oci/platform.ts";
import { matchesPlatform } from "../oci/platform_match.ts";
import { quoted } from "../oci/quoted.ts";
import type { CallOptions } from "../transport/transport.ts";
import { Documents } from "./documents.ts";
import { findManifest } from "./manifest.ts";

/** What the root filesystem of an image for one platform is made of. */
export interface Rootfs {
  config: Descriptor;
  /** The config as it is written. */
  configBytes: Uint8Array;
  /** The base first. */
  layers: RootfsLayer[];
  /** The snapshot that it becomes; empty for an image without layers. */
  chainId: string;
}

/** A layer of a root filesystem. */
export interface RootfsLayer {
  descriptor: Descriptor;
  /** The digest of its archive without compression. */
  diffId: string;
  /** The snapshot that it becomes, with all below it. */
  chainId: string;
}

/** Of which platform, and what for. */
export interface RootfsOptions extends CallOptions {
  /** `linux/arm64`. Default: that of this machine, but an image without an index is taken as it is. */
  platform?: string | undefined;
  /** For the error message: `unpack`. */
  action: string;
}

/** An image has nothing for the platform that was asked for. */
export class NoSuchPlatformError extends NotFoundError {
  /** The name of the class. */
  override name = "NoSuchPlatformError";
}

/**
 * Reads of which layers an image consists.
 *
 * @throws {NoSuchPlatformError} when the image is for other platforms only.
 * @throws {NotFoundError} when its manifest or config is not there.
 * @throws {SyntaxError} when a document or the platform is malformed, or they contradict each other.
 */
export async function readRootfs(
  client: NamespacedClient,
  { name, target }: Pick<Image, "name" | "target">,
  { platform, action, ...options }: RootfsOptions,
): Promise<Rootfs> {
  const host = hostPlatform(Deno.build);
  const wanted = platform === undefined ? host : parsePlatform(platform, { host });
  const documents = new Documents(client.content, options);
  const details = (reason: string): ErrorDetails => ({
    code: "not_found",
    reason,
    outcome: "refused",
    action,
    resource: `image ${quoted(name)}`,
    namespace: client.name,
  });
  const { manifest, missing } = await findManifest(documents, { target, platform: wanted });
  const configBytes = manifest && await documents.findBytes(manifest.config);
  const absent = missing ?? (configBytes === undefined ? manifest?.config : undefined);
  if (absent) {
    throw containerdError(details(`its content ${absent.digest} (${absent.mediaType}) is not there`));
  }
  if (!manifest || !configBytes) {
    throw new NoSuchPlatformError(details(`no manifest for ${formatPlatform(wanted)}`));
  }
  const config = parseConfig(configBytes, manifest.config);
  if (platform !== undefined && !matchesPlatform(wanted, normalizePlatform(config.platform))) {
    const own = `it is for ${formatPlatform(config.platform)}, not for ${formatPlatform(wanted)}`;
    throw new NoSuchPlatformError(details(own));
  }
  const layers = filesystemLayers(manifest.layers, config.diffIds);
  if (typeof layers === "string") throw new SyntaxError(`Cannot ${action} image ${quoted(name)}: ${layers}`);
  const ids = await chainIds(config.diffIds);
  return {
    config: manifest.config,
    configBytes,
    layers: layers.map((descriptor, i) => ({ descriptor, diffId: config.diffIds[i]!, chainId: ids[i]! })),
    chainId: ids.at(-1) ?? "",
  };
}

/** The layers that the diff ids are about: as with containerd, what is no layer does not count. Or what is wrong. */
function filesystemLayers(
  all: readonly Descriptor[],
  diffIds: readonly string[],
): readonly Descriptor[] | string {
  const layers = all.filter(({ mediaType }) => isLayer(mediaType));
  if (layers.length === diffIds.length) return layers;
  const other = all.find(({ mediaType }) => !isLayer(mediaType));
  if (other) return `its content ${other.digest} has the type ${quoted(other.mediaType)}, which is no layer`;
  return `its manifest has ${layers.length} layers, its config diff ids for ${diffIds.length}`;
}
