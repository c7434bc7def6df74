import type { NamespacedClient } from "../client.ts";
import { Limiter } from "../concurrency.ts";
import { containerdError } from "../errors.ts";
import type { Image } from "../images.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { hasChildren, isIndex, isNonDistributable } from "../oci/media_types.ts";
import { formatPlatform, hostPlatform, parsePlatform } from "../oci/platform.ts";
import { quoted } from "../oci/quoted.ts";
import { formatReference, parseReference, type Reference } from "../oci/reference.ts";
import { itemName, type ItemState, type Progress, ProgressReport } from "../progress.ts";
import type { PushTarget, Registry } from "../registry/registry.ts";
import type { Upload } from "../registry/upload.ts";
import type { CallOptions } from "../transport/transport.ts";
import { sourceLabel } from "./copy_labels.ts";
import { Documents } from "./documents.ts";
import { planExport } from "./export_plan.ts";
import { findManifest } from "./manifest.ts";
import { NoSuchPlatformError } from "./rootfs.ts";

/** What was pushed. */
export interface PushResult {
  /** Where it is now, in full. */
  reference: string;
  /** The image that it was made of. */
  image: string;
  /** Of what was pushed, the index or a manifest: `sha256:…`. */
  digest: string;
  /** Bytes of all its blobs. */
  size: number;
  /** Blobs that were sent. */
  uploaded: number;
  /** Blobs that the registry took over from other repositories. */
  mounted: number;
  /** Blobs that the repository had. */
  existing: number;
  /** Bytes sent, also those that had to be sent again. */
  bytesMoved: number;
}

/** What to push, and how. */
export interface PushOptions extends CallOptions {
  /** The way to registries; {@linkcode openRegistry} makes one. */
  registry: Registry;
  /** Only the manifest for this platform, `linux/arm64`, instead of the index. Default: all that the image has. */
  platform?: string | undefined;
  /** How many blobs go at once. Default 3. */
  uploadsAtOnce?: number | undefined;
  /** Called with the blobs as they go, and the bytes that were sent. */
  onProgress?: ((state: Progress) => void) | undefined;
}

const defaultUploadsAtOnce = 3;

/**
 * Pushes an image to a registry. What the repository has is not sent, and what another repository of the registry has
 * neither, where containerd knows of that. The tag comes last.
 *
 * ```ts
 * import { type NamespacedClient, openRegistry, pushImage } from "davit";
 *
 * async function example(client: NamespacedClient) {
 *   await using registry = openRegistry();
 *   const image = await client.images.get("docker.io/library/busybox:latest");
 *   await pushImage(client, { image, reference: "registry.example.com/busybox:1" }, { registry });
 * }
 * ```
 *
 * @throws {NotFoundError} when the namespace lacks some of the image.
 * @throws {NoSuchPlatformError} when the image is for other platforms only.
 * @throws {RegistryError} when the registry does not take it.
 * @throws {SyntaxError} when the reference, the platform or a document is malformed.
 */
export async function pushImage(
  client: NamespacedClient,
  { image, reference: text }: { image: Pick<Image, "name" | "target">; reference: string },
  { registry, platform, uploadsAtOnce = defaultUploadsAtOnce, onProgress, ...options }: PushOptions,
): Promise<PushResult> {
  const reference = parseReference(text);
  const labels = { "davit/operation": "images push" };
  await using lease = await client.leases.acquire({ prefix: "davit-push", labels }, options);
  // Else it could be collected, should somebody remove the image meanwhile.
  await client.leases.addResource(lease.id, { id: image.target.digest, type: "content" }, options);
  const target = platform === undefined
    ? image.target
    : await targetFor(client, { image, platform, options });
  if (reference.digest !== undefined && reference.digest !== target.digest) {
    throw new SyntaxError(
      `Cannot push image ${quoted(image.name)} as ${quoted(text)}: its digest is ${target.digest}`,
    );
  }
  const whole = { labels: {}, createdAt: new Date(), updatedAt: new Date(), name: image.name, target };
  const [plan] = await planExport(client, [whole], { isWhole: true, action: "push", ...options });
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const pusher = new Pusher(client, {
    reference,
    target: await registry.pushTo(reference, { signal }),
    limiter: new Limiter(uploadsAtOnce),
    report: new ProgressReport("pushing", onProgress),
    stop,
    options: { ...options, signal },
  });
  const uploads = await pusher.push(plan!.blobs, target);
  const count = (wanted: Upload["status"]) => uploads.filter(({ status }) => status === wanted).length;
  return {
    reference: formatReference(reference),
    image: image.name,
    digest: target.digest,
    size: plan!.blobs.reduce((sum, { size }) => sum + size, 0),
    uploaded: count("uploaded"),
    mounted: count("mounted"),
    existing: count("exists"),
    bytesMoved: uploads.reduce((sum, { sentBytes }) => sum + sentBytes, 0),
  };
}

async function targetFor(
  client: NamespacedClient,
  { image, platform, options }: {
    image: Pick<Image, "name" | "target">;
    platform: string;
    options: CallOptions;
  },
): Promise<Descriptor> {
  const wanted = parsePlatform(platform, { host: hostPlatform(Deno.build) });
  const documents = new Documents(client.content, options);
  const path = await findManifest(documents, { target: image.target, platform: wanted });
  const details = (reason: string) => ({
    code: "not_found" as const,
    reason,
    outcome: "refused" as const,
    action: "push",
    resource: `image ${quoted(image.name)}`,
    namespace: client.name,
  });
  if (path.missing) {
    throw containerdError(
      details(`its content ${path.missing.digest} (${path.missing.mediaType}) is not there`),
    );
  }
  const found = path.manifest && path.documents.at(-1);
  if (!found) throw new NoSuchPlatformError(details(`no manifest for ${formatPlatform(wanted)}`));
  return found;
}

interface Settings {
  reference: Reference;
  target: PushTarget;
  limiter: Limiter;
  report: ProgressReport;
  /** Ends the other uploads when one fails. */
  stop: AbortController;
  options: CallOptions;
}

/** Pushes the blobs of one image into one repository. */
class Pusher {
  readonly #client: NamespacedClient;
  readonly #settings: Settings;

  constructor(client: NamespacedClient, settings: Settings) {
    this.#client = client;
    this.#settings = settings;
  }

  /** Children before their parents, which blobs of the same kind are in order of already. */
  async push(blobs: readonly Descriptor[], target: Descriptor): Promise<Upload[]> {
    const { limiter, stop, options: { signal } } = this.#settings;
    for (const blob of blobs) this.#report(blob, "waiting");
    const leaves = blobs.filter((blob) => !hasChildren(blob.mediaType) && !isElsewhere(blob));
    let failure: { error: unknown } | undefined;
    const uploads = await Promise.all(
      leaves.map((blob) =>
        limiter.run(() => this.#upload(blob), signal).catch((error) => {
          failure ??= { error };
          stop.abort();
        })
      ),
    );
    if (failure) throw failure.error;
    const documents = blobs.filter(({ mediaType }) => hasChildren(mediaType))
      .toSorted((a, b) => Number(isIndex(a.mediaType)) - Number(isIndex(b.mediaType)));
    const sent: Upload[] = [];
    for (const document of documents) sent.push(await this.#put(document, document.digest === target.digest));
    return [...uploads as Upload[], ...sent];
  }

  async #upload(blob: Descriptor): Promise<Upload> {
    const { target } = this.#settings;
    const upload = await target.upload(blob, (offset) => this.#bytes(blob, offset), {
      mountFrom: await this.#otherRepository(blob.digest),
    });
    const states = { exists: "exists", mounted: "shared", uploaded: "done" } as const;
    this.#report(blob, states[upload.status], blob.size);
    return upload;
  }

  async *#bytes(blob: Descriptor, offset: number): AsyncIterable<Uint8Array> {
    let done = offset;
    for await (const piece of this.#client.content.read(blob.digest, { offset, ...this.#settings.options })) {
      yield piece;
      done += piece.length;
      this.#report(blob, "uploading", done);
    }
  }

  /** A repository of the same registry that the blob is known to come from. */
  async #otherRepository(digest: string): Promise<string | undefined> {
    const { reference: { domain, path }, options } = this.#settings;
    const { labels } = await this.#client.content.info(digest, options);
    const sources = labels[sourceLabel(domain)] ?? "";
    return sources.split(",").find((source) => source !== "" && source !== path);
  }

  async #put(document: Descriptor, isTarget: boolean): Promise<Upload> {
    const { target, reference, options } = this.#settings;
    const { digest, mediaType, size } = document;
    const bytes = await this.#client.content.readSmall(document, options);
    const tag = isTarget ? reference.tag : undefined;
    if (tag === undefined && await target.exists(document)) {
      this.#report(document, "exists");
      return { status: "exists", sentBytes: 0 };
    }
    await target.putManifest(bytes, { digest, mediaType, tag });
    this.#report(document, "done", size);
    return { status: "uploaded", sentBytes: size };
  }

  #report(blob: Descriptor, state: ItemState, done?: number): void {
    const { report, reference } = this.#settings;
    const counts = done === undefined ? {} : { done, total: blob.size };
    report.items({ image: formatReference(reference), name: itemName(blob), state, ...counts });
  }
}

/** Whether a layer stays where it says that it is; of one that says nothing nobody could get the bytes else. */
function isElsewhere({ mediaType, urls = [] }: Descriptor): boolean {
  return isNonDistributable(mediaType) && urls.length > 0;
}
