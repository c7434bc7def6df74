import type { NamespacedClient } from "../client.ts";
import { mapConcurrent } from "../concurrency.ts";
import { InvalidArgumentError } from "../errors.ts";
import { contentReferences } from "../gc/references.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { isIndex } from "../oci/media_types.ts";
import { hostPlatform, parsePlatform } from "../oci/platform.ts";
import { defaultSnapshotter } from "../snapshotters.ts";
import type { CallOptions } from "../transport/transport.ts";
import { Documents } from "./documents.ts";
import { findManifest } from "./manifest.ts";
import type { Found } from "./presence.ts";
import type { UnpackOptions } from "./unpack.ts";

/** The label of a manifest that names its config. */
const configLabel = "containerd.io/gc.ref.content.config";

const readsAtOnce = 16;

/**
 * Which images are unpacked, by the digests of their targets, with as few calls as can tell: `true` for those that are,
 * `false` for those that have nothing for the platform. Of others nothing is known without a closer look.
 */
export async function findUnpacked(
  client: NamespacedClient,
  targets: readonly Descriptor[],
  { platform, snapshotter, ...options }: CallOptions & Pick<UnpackOptions, "platform" | "snapshotter">,
): Promise<Map<string, boolean>> {
  const name = snapshotter ?? await defaultSnapshotter(client, options);
  const content = new Map();
  for await (const info of client.content.list(options)) content.set(info.digest, info);
  const snapshots = await committed(client, name, options);
  const configs = new Configs(client, { content, platform, options });
  const work = async (target: Descriptor): Promise<[string, boolean][]> => {
    const config = await configs.find(target);
    if (config === "none") return [[target.digest, false]];
    const chainId = content.get(config)?.labels[`containerd.io/gc.ref.snapshot.${name}`];
    return snapshots.has(chainId) ? [[target.digest, true]] : [];
  };
  return new Map((await Array.fromAsync(mapConcurrent(targets, work, { limit: readsAtOnce }))).flat());
}

/** The snapshots that layers have become; none of a snapshotter that is not there, which others explain. */
async function committed(
  client: NamespacedClient,
  snapshotter: string,
  options: CallOptions,
): Promise<Set<string>> {
  const keys = new Set<string>();
  try {
    for await (const { key, kind } of client.snapshots(snapshotter).list(options)) {
      if (kind === "committed") keys.add(key);
    }
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
  }
  return keys;
}

/** Finds the config of an image for a platform: by labels where there is but one, else in its documents. */
class Configs {
  readonly #content: Found;
  readonly #documents: Documents;
  readonly #platform: string | undefined;

  constructor(
    client: NamespacedClient,
    { content, platform, options }: { content: Found; platform: string | undefined; options: CallOptions },
  ) {
    this.#content = content;
    this.#documents = new Documents(client.content, options);
    this.#platform = platform;
  }

  /** Its digest; `"none"` when the image is for other platforms, `undefined` when it cannot be told. */
  async find(target: Descriptor): Promise<string | "none" | undefined> {
    const known = this.#below(target.digest, new Set());
    if (known.length === 1) return known[0];
    if (!isIndex(target.mediaType)) return undefined;
    const host = hostPlatform(Deno.build);
    const platform = this.#platform === undefined ? host : parsePlatform(this.#platform, { host });
    try {
      const { manifest, missing } = await findManifest(this.#documents, { target, platform });
      return manifest?.config.digest ?? (missing === undefined ? "none" : undefined);
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  /** The configs below a document that are there. */
  #below(digest: string, seen: Set<string>): string[] {
    const info = this.#content.get(digest);
    if (info === undefined || seen.has(digest)) return [];
    seen.add(digest);
    const config = info.labels[configLabel];
    if (config !== undefined) return this.#content.has(config) ? [config] : [];
    return contentReferences(info.labels).flatMap((child) => this.#below(child, seen));
  }
}
