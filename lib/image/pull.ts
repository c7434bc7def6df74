import type { NamespacedClient } from "../client.ts";
import { Limiter, mapConcurrent } from "../concurrency.ts";
import {
  AlreadyExistsError,
  ContainerdError,
  containerdError,
  DeadlineExceededError,
  OutcomeUnknownError,
} from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { isManifest } from "../oci/media_types.ts";
import { formatPlatform, hostPlatform, parsePlatform, type Platform } from "../oci/platform.ts";
import { formatReference, parseReference, type Reference } from "../oci/reference.ts";
import { type ItemProgress, type Progress, ProgressReport } from "../progress.ts";
import { RegistryError } from "../registry/failure.ts";
import type { Registry } from "../registry/registry.ts";
import type { CallOptions } from "../transport/transport.ts";
import { lacking } from "./copy_labels.ts";
import { BlobPuller, type PulledBlob } from "./pull_blobs.ts";
import { type IsAlive, leaveToNext, pullLabels, takeOver } from "./pull_leases.ts";
import { Look } from "./pull_look.ts";
import { type WantedImage, WantedReader } from "./pull_tree.ts";
import { NoSuchPlatformError } from "./rootfs.ts";
import { unpackImage } from "./unpack.ts";

/** What became of one image. */
export interface PullResult {
  /** The reference in full. */
  image: string;
  /** Empty when the registry did not say. */
  digest: string;
  /** `"updated"`: the name meant another image. `"repaired"`: the image was there and blobs or labels of it were not. */
  status: "pulled" | "updated" | "repaired" | "exists" | "failed";
  /** Bytes of all that was wanted of it. */
  size: number;
  /** Blobs from the registry; like all counts here, those that images have in common count once. */
  downloaded: number;
  /** Blobs that another namespace had. */
  shared: number;
  /** Blobs that the namespace had. */
  existing: number;
  /** Bytes from the registry. */
  bytesMoved: number;
  /** The snapshots that containers start from, one for each platform; empty when nothing was unpacked. */
  chainIds: string[];
  /** What unpacked it. */
  snapshotter?: string;
  /** Why it failed, or was not unpacked. */
  reason?: string;
  /** What it failed with. */
  error?: unknown;
  /** It may succeed later, and then goes on with what came: that is kept for a day. */
  isKept?: true;
}

/** What to pull, and how. */
export interface PullOptions extends CallOptions {
  /** The way to registries; {@linkcode openRegistry} makes one. */
  registry: Registry;
  /** `linux/arm64`, …: of each the best there is. Default: that of this machine, but an image without an index as it is. */
  platforms?: readonly string[] | undefined;
  /** All that the image is for, and what is said about it; unpacked for this machine. */
  allPlatforms?: boolean | undefined;
  /** Only what says what the image is, its indexes, manifests and configs, of all platforms unless some are named. */
  metadataOnly?: boolean | undefined;
  /** Default true, but not without layers. */
  unpack?: boolean | undefined;
  /** Default: that of the namespace's label `containerd.io/defaults/snapshotter`, or `overlayfs`. */
  snapshotter?: string | undefined;
  /** For the images. */
  labels?: Record<string, string> | undefined;
  /** How many blobs come at once, of all images together. Default 3. */
  downloadsAtOnce?: number | undefined;
  /** Whether a process still runs: what pulls hold that died goes over to this one. Default: that cannot be told. */
  isAlive?: IsAlive | undefined;
  /** Called with the blobs of each image as they come and are unpacked; its bytes are those from registries. */
  onProgress?: ((state: Progress) => void) | undefined;
}

const imagesAtOnce = 8;
const defaultDownloadsAtOnce = 3;

/**
 * Pulls images from registries, and unpacks them. Blobs that the namespace has are not asked for, and those of other
 * namespaces neither, where containerd shares them. What a pull that died had written is gone on with.
 *
 * Layers are unpacked while later ones still come; the image appears at the end, complete. Yields one result per image;
 * one that fails does not stop the others and leaves nothing behind, unless the same may succeed later: what came is
 * then kept for a day.
 *
 * ```ts
 * import { type NamespacedClient, openRegistry, pullImages } from "davit";
 *
 * async function example(client: NamespacedClient) {
 *   await using registry = openRegistry();
 *   for await (const { image, status } of pullImages(client, ["busybox:1.36"], { registry })) {
 *     console.log(image, status);
 *   }
 * }
 * ```
 *
 * @throws {SyntaxError} when a reference or platform is malformed.
 */
export async function* pullImages(
  client: NamespacedClient,
  references: Iterable<string>,
  { platforms = [], allPlatforms = false, onProgress, ...options }: PullOptions,
): AsyncIterable<PullResult> {
  const { registry, metadataOnly = false, snapshotter, labels = {}, ...more } = options;
  const { unpack = !metadataOnly, downloadsAtOnce, isAlive, ...callOptions } = more;
  const host = hostPlatform(Deno.build);
  const given = platforms.map((text) => parsePlatform(text, { host }));
  const wanted = new Map([...references].map((text) => {
    const reference = parseReference(text);
    return [formatReference(reference), reference];
  }));
  const report = new ProgressReport("pulling", onProgress);
  const wants = allPlatforms ? [] : given.length > 0 || metadataOnly ? given : [host];
  const look = await Look.open(client, { registry, ...callOptions });
  const resolve = async (reference: Reference): Promise<Resolved> => {
    try {
      const { signal } = callOptions;
      const target = (await registry.resolve(reference, { signal })).descriptor;
      await look.at(reference, target, { platforms: wants, given });
      return { reference, target };
    } catch (error) {
      callOptions.signal?.throwIfAborted();
      return { reference, error };
    }
  };
  const resolved = await Array.fromAsync(
    mapConcurrent(wanted.values(), resolve, { limit: imagesAtOnce }),
  );
  if (!resolved.some(({ target }) => target)) { // what is not there shall not even create the namespace
    for (const { reference, error } of resolved) yield failed(reference, error);
    return;
  }
  const lease = await client.leases.acquire({ prefix: "davit-pull", labels: pullLabels }, callOptions);
  await using held = new AsyncDisposableStack();
  held.use(lease);
  const puller = new Puller(client.withLease(lease.id), {
    ...{ registry, look, report, labels, given, wants, allPlatforms, metadataOnly, unpack, snapshotter },
    downloadsAtOnce: downloadsAtOnce ?? defaultDownloadsAtOnce,
    options: callOptions,
  });
  let isUseful = false;
  let isWorthKeeping = false;
  const work = async ({ reference, target, error }: Resolved): Promise<PullResult> => {
    if (target === undefined) return failed(reference, error);
    try {
      const result = await puller.pull(reference, target);
      isUseful = true;
      return result;
    } catch (error) {
      callOptions.signal?.throwIfAborted();
      if (!isTemporary(error)) return failed(reference, error);
      isWorthKeeping = true;
      return { ...failed(reference, withoutEffect(error)), isKept: true };
    }
  };
  yield* mapConcurrent(resolved, work, { limit: imagesAtOnce });
  if (isUseful || isWorthKeeping) await takeOver(client, lease, { isAlive, ...callOptions });
  if (isWorthKeeping && !await leaveToNext(client, lease, callOptions)) held.move();
}

interface Resolved {
  reference: Reference;
  target?: Descriptor;
  error?: unknown;
}

interface Settings {
  registry: Registry;
  look: Look;
  report: ProgressReport;
  labels: Record<string, string>;
  /** Those that were asked for. */
  given: readonly Platform[];
  /** Of which there must be a manifest each; all that there are when empty. */
  wants: readonly Platform[];
  allPlatforms: boolean;
  metadataOnly: boolean;
  unpack: boolean;
  snapshotter: string | undefined;
  downloadsAtOnce: number;
  options: CallOptions;
}

/** Pulls images into one namespace, with a client whose lease holds all that comes and is found. */
class Puller {
  readonly #client: NamespacedClient;
  readonly #settings: Settings;
  readonly #blobs: BlobPuller;
  /** Images that share layers would else unpack them twice. */
  readonly #unpacking = new Limiter(1);

  constructor(client: NamespacedClient, settings: Settings) {
    this.#client = client;
    this.#settings = settings;
    const { registry, look, report, downloadsAtOnce: atOnce, options } = settings;
    this.#blobs = new BlobPuller({ content: client.content, registry, look, report, atOnce, options });
  }

  /** All blobs, and its snapshots; then the labels that keep them; then the image. */
  async pull(reference: Reference, target: Descriptor): Promise<PullResult> {
    const { given, wants, metadataOnly, options } = this.#settings;
    const name = formatReference(reference);
    const came = new Map<string, Promise<PulledBlob>>();
    const pull = (descriptor: Descriptor) => {
      const blob = came.get(descriptor.digest) ?? this.#blobs.pull(descriptor, reference);
      came.set(descriptor.digest, blob);
      return blob;
    };
    const reader = new WantedReader({
      name,
      pull,
      read: (descriptor) => this.#client.content.readSmall(descriptor, options),
      platforms: wants,
    });
    const whole = await reader.read(target);
    const wanted = metadataOnly ? { ...whole, layers: [] } : whole;
    const stop = (error: unknown) => this.#blobs.release(reference, { isTemporary: isTemporary(error) });
    const configs = wanted.configs.map(pull);
    const layers = wanted.layers.map(pull);
    const unpacked = Promise.all(configs).then(async () => {
      if (given.length > 0 && isManifest(target.mediaType)) await reader.checkConfig(wanted.configs[0]!);
      return await this.#unpack(reference, { target, layerReady: pull });
    });
    await allOrFirstFailure([...configs, ...layers, unpacked], stop);
    for (const { descriptor: { digest }, labels } of wanted.documents) await this.#label(digest, labels);
    const blobs = await Promise.all(came.values());
    const status = await this.#record({ name, target });
    const downloaded = blobs.filter(({ state }) => state === "done").length;
    const shared = blobs.filter(({ state }) => state === "shared").length;
    return {
      image: name,
      digest: target.digest,
      status: status === "exists" && downloaded + shared > 0 ? "repaired" : status,
      size: sizeOf(wanted),
      downloaded,
      shared,
      existing: blobs.length - downloaded - shared,
      bytesMoved: blobs.reduce((sum, { bytesMoved }) => sum + bytesMoved, 0),
      ...await unpacked,
    };
  }

  async #unpack(
    reference: Reference,
    { target, layerReady }: { target: Descriptor; layerReady: (layer: Descriptor) => Promise<PulledBlob> },
  ): Promise<Pick<PullResult, "chainIds" | "snapshotter" | "reason">> {
    const { unpack, given, allPlatforms, snapshotter, options } = this.#settings;
    const result: Pick<PullResult, "chainIds" | "snapshotter" | "reason"> = { chainIds: [] };
    if (!unpack) return result;
    const image = { name: formatReference(reference), target };
    const names = given.length > 0 ? given.map(formatPlatform) : [undefined];
    return await this.#unpacking.run(async () => {
      for (const platform of names) {
        try {
          const unpacked = await unpackImage(this.#client, image, {
            ...{ platform, snapshotter, layerReady },
            onProgress: ({ items = [] }) => this.#settings.report.items(...items.flatMap(unpackingOnly)),
            ...options,
          });
          result.snapshotter = unpacked.snapshotter;
          result.chainIds.push(unpacked.chainId);
        } catch (error) {
          if (!(error instanceof NoSuchPlatformError && allPlatforms)) throw error;
          result.reason = `not unpacked: ${error.reason}`;
        }
      }
      return result;
    }, options.signal);
  }

  async #label(digest: string, labels: Record<string, string>): Promise<void> {
    const { options } = this.#settings;
    const info = await this.#client.content.info(digest, options);
    const change = lacking(labels, info.labels);
    if (Object.keys(change).length > 0) {
      await this.#client.content.update(digest, { labels: change, ...options });
    }
  }

  async #record(
    { name, target }: { name: string; target: Descriptor },
  ): Promise<"pulled" | "updated" | "exists"> {
    const { labels, options } = this.#settings;
    const { images } = this.#client;
    try {
      await images.create({ name, target, labels }, options);
      return "pulled";
    } catch (error) {
      const isUncertain = error instanceof OutcomeUnknownError || error instanceof DeadlineExceededError;
      if (isUncertain) {
        const now = await images.get(name, options).catch(() => undefined);
        if (now?.target.digest === target.digest) return "pulled";
      }
      if (!(error instanceof AlreadyExistsError)) throw error;
    }
    const now = await images.get(name, options);
    const isSame = now.target.digest === target.digest;
    if (isSame && Object.keys(lacking(labels, now.labels)).length === 0) return "exists";
    await images.update({ name, ...!isSame && { target }, labels }, options);
    return isSame ? "exists" : "updated";
  }
}

/** Waits for all, then throws what failed first: the others failed because of it, or were stopped. */
async function allOrFirstFailure(
  work: readonly Promise<unknown>[],
  stop: (error: unknown) => void,
): Promise<void> {
  const failures: unknown[] = [];
  await Promise.all(work.map((one) =>
    one.catch((error) => {
      failures.push(error);
      stop(failures[0]);
    })
  ));
  if (failures.length > 0) throw failures[0];
}

/** What unpacking has to say of a layer that was reported as it came. */
function unpackingOnly({ image, name, state }: ItemProgress): ItemProgress[] {
  return state === "unpacking" || state === "done" ? [{ image, name, state }] : [];
}

function sizeOf({ documents, configs, layers }: WantedImage): number {
  const blobs = [...documents.map(({ descriptor }) => descriptor), ...configs, ...layers];
  return blobs.reduce((sum, { size }) => sum + size, 0);
}

/** Whether the same may succeed later: the registry is busy or was lost, or containerd was. */
function isTemporary(error: unknown): boolean {
  if (error instanceof RegistryError) return error.isTemporary;
  return error instanceof ContainerdError &&
    (error.code === "unavailable" || error.code === "deadline_exceeded");
}

/** What was lost before the image was written has changed nothing that anybody sees. */
function withoutEffect(error: unknown): unknown {
  if (!(error instanceof OutcomeUnknownError) || error.method?.includes(".images.")) return error;
  return containerdError({ ...error.details, outcome: "no effect" }, { cause: error });
}

function failed(reference: Reference, error: unknown): PullResult {
  return {
    image: formatReference(reference),
    digest: reference.digest ?? "",
    status: "failed",
    ...{ size: 0, downloaded: 0, shared: 0, existing: 0, bytesMoved: 0, chainIds: [] },
    reason: error instanceof Error ? error.message : String(error),
    error,
  };
}
