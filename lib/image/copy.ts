import type { NamespaceAccess, NamespacedClient } from "../client.ts";
import { Limiter, mapConcurrent } from "../concurrency.ts";
import type { Content } from "../content.ts";
import { AlreadyExistsError, DeadlineExceededError, OutcomeUnknownError } from "../errors.ts";
import type { HeldLease } from "../leases.ts";
import { isIndex, isManifest } from "../oci/media_types.ts";
import type { Progress } from "../plugin.ts";
import type { CallOptions } from "../transport/transport.ts";
import { lacking } from "./copy_labels.ts";
import {
  type BlobPlan,
  type CopyPlan,
  type CopyRequest,
  type ImagePlan,
  planCopy,
  type TargetPlan,
} from "./copy_plan.ts";

/** What became of one image in one target namespace. */
export interface CopyResult {
  /** The name in the target. */
  image: string;
  /** The name in the source. */
  source: string;
  /** The namespace of the source. */
  from: string;
  /** The namespace of the target. */
  to: string;
  /** What the image points to in the source: `sha256:…`. */
  digest: string;
  /** `"repaired"`: the image was there, and blobs or labels of it were not. */
  status: "copied" | "updated" | "repaired" | "exists" | "failed";
  /** Why it failed, or what to know: platforms that the source lacks. */
  reason?: string;
  /** What it failed with. */
  error?: unknown;
  /** Blobs that this image brought into the namespace; those that images have in common count once. */
  blobs: number;
  /** Bytes sent; 0 when containerd could share them. */
  bytesMoved: number;
  /** Calls made to containerd. */
  calls: number;
}

/** How to run a copy. */
export interface CopyOptions extends CallOptions {
  /** Called after each image. */
  onProgress?: ((state: Progress) => void) | undefined;
}

/** More do not help: containerd writes its metadata one at a time. */
const callsAtOnce = 8;

const imagesAtOnce = 8;

/**
 * Copies images between namespaces of one containerd. Where its content policy is `shared`, no bytes are moved.
 *
 * Blobs are held by a lease of the target and written children first, the image last, so that an image that is
 * visible is complete at every moment. A second run does what a broken-off one left undone. Yields one result per
 * image and target; an image that fails does not stop the others.
 *
 * ```ts
 * import { copyImages, type NamespaceAccess } from "davit";
 *
 * async function example(client: NamespaceAccess) {
 *   const request = { from: "build", to: ["staging", "k8s.io"], match: ["example.com/app/**"], newest: 3 };
 *   for await (const { image, to, status } of copyImages(client, request)) console.log(image, to, status);
 * }
 * ```
 *
 * @throws {NotFoundError} when the source namespace does not exist.
 * @throws {SyntaxError} when a platform or glob is malformed.
 */
export async function* copyImages(
  client: NamespaceAccess,
  request: CopyRequest & CopyOptions,
): AsyncIterable<CopyResult> {
  yield* executeCopy(client, await planCopy(client, request), request);
}

/** Carries out a plan. The source may have changed since; what is gone then fails, image by image. */
export async function* executeCopy(
  client: NamespaceAccess,
  plan: CopyPlan,
  { onProgress, ...options }: CopyOptions = {},
): AsyncIterable<CopyResult> {
  const total = plan.targets.reduce((sum, { images }) => sum + images.length, 0);
  let done = 0;
  for (const target of plan.targets) {
    for await (const result of copyInto(client, { plan, target }, options)) {
      onProgress?.({ task: "copying", done: ++done, total });
      yield result;
    }
  }
}

/** The results that carrying out a plan would have, as far as that can be known: what `--dry-run` shows. */
export function foreseenResults({ from, shares, targets }: CopyPlan): CopyResult[] {
  return targets.flatMap(({ to, images }) =>
    images.map((image) => ({
      ...resultOf({ image, from, to }),
      status: foreseen[image.action],
      blobs: image.blobs.filter(({ present }) => !present).length,
      bytesMoved: shares ? 0 : image.lackingBytes,
    }))
  );
}

const foreseen = {
  create: "copied",
  update: "updated",
  repair: "repaired",
  exists: "exists",
  impossible: "failed",
} as const;

async function* copyInto(
  client: NamespaceAccess,
  { plan, target }: { plan: CopyPlan; target: TargetPlan },
  options: CallOptions,
): AsyncIterable<CopyResult> {
  const { from } = plan;
  const { to, images } = target;
  if (!images.some(isWork)) {
    for (const image of images) yield resultOf({ image, from, to });
    return;
  }
  let prepared: HeldLease;
  try {
    prepared = await prepare(client, to, options);
  } catch (error) {
    options.signal?.throwIfAborted();
    for (const image of images) yield failed({ image, from, to, error });
    return;
  }
  await using lease = prepared;
  const writer = new Writer({
    source: client.namespace(from).content,
    target: client.namespace(to).withLease(lease.id),
    shares: plan.shares,
    options,
  });
  const work = async (image: ImagePlan): Promise<CopyResult> => {
    if (!isWork(image)) return resultOf({ image, from, to });
    const tally: Tally = { blobs: 0, bytesMoved: 0, calls: 0 };
    try {
      const status = await writer.copy(image, tally);
      return { ...resultOf({ image, from, to }), status, ...tally };
    } catch (error) {
      options.signal?.throwIfAborted();
      return { ...failed({ image, from, to, error }), ...tally };
    }
  };
  yield* mapConcurrent(images, work, { limit: imagesAtOnce });
}

function isWork({ action }: ImagePlan): boolean {
  return action !== "exists" && action !== "impossible";
}

/** A lease in the namespace, which comes into being with it: nothing may be collected before its image is there. */
async function prepare(client: NamespaceAccess, to: string, options: CallOptions): Promise<HeldLease> {
  const labels = { "davit/operation": "images copy" };
  return await client.namespace(to).leases.acquire({ prefix: "davit-copy", labels }, options);
}

interface Tally {
  blobs: number;
  bytesMoved: number;
  calls: number;
}

/** Writes into one target namespace, every blob once however many images share it. */
class Writer {
  readonly #source: Content;
  readonly #target: NamespacedClient;
  readonly #shares: boolean;
  readonly #options: CallOptions;
  readonly #limiter = new Limiter(callsAtOnce);
  readonly #attached = new Map<string, Promise<void>>();

  constructor(
    { source, target, shares, options }: {
      source: Content;
      target: NamespacedClient;
      shares: boolean;
      options: CallOptions;
    },
  ) {
    this.#source = source;
    this.#target = target;
    this.#shares = shares;
    this.#options = options;
  }

  /** All blobs, children first; then the image. */
  async copy(
    { source, name, labels, blobs, action }: ImagePlan,
    tally: Tally,
  ): Promise<CopyResult["status"]> {
    const isDocument = ({ descriptor: { mediaType } }: BlobPlan) =>
      isIndex(mediaType) || isManifest(mediaType);
    await settleAll(blobs.filter((blob) => !isDocument(blob)).map((blob) => this.#attachOnce(blob, tally)));
    for (const blob of blobs.filter(isDocument)) await this.#attachOnce(blob, tally);
    const image = { name, target: source.target, labels };
    const { images } = this.#target;
    try {
      await this.#settled(tally, () => images.create(image, this.#options));
      return "copied";
    } catch (error) {
      if (!(error instanceof AlreadyExistsError)) throw error;
    }
    const now = await this.#call(tally, () => images.get(name, this.#options));
    const same = now.target.digest === image.target.digest;
    if (!same || Object.keys(lacking(image.labels, now.labels)).length > 0) {
      await this.#settled(tally, () => images.update(image, this.#options));
    }
    // The image that is there may be what a lost answer was about.
    return !same ? "updated" : action === "repair" ? "repaired" : "copied";
  }

  #attachOnce(blob: BlobPlan, tally: Tally): Promise<void> {
    const { digest } = blob.descriptor;
    let attached = this.#attached.get(digest);
    if (attached === undefined) this.#attached.set(digest, attached = this.#attach(blob, tally));
    return attached;
  }

  async #attach({ descriptor, labels, present }: BlobPlan, tally: Tally): Promise<void> {
    const { digest, size } = descriptor;
    const blob = { digest, size, labels };
    const { content } = this.#target;
    let existed = false;
    const shared = this.#shares
      ? await this.#settled(tally, () => content.share(blob, this.#options))
      : "absent";
    if (shared === "absent") {
      const bytes = (offset: number) => this.#source.read(digest, { offset, ...this.#options });
      const written = await this.#call(tally, () => content.write(blob, bytes, this.#options));
      tally.bytesMoved += written.sentBytes;
      existed = written.existed;
    } else {
      existed = shared === "exists";
    }
    if (!existed) {
      tally.blobs++;
      return;
    }
    // containerd ignores the labels of a write when the blob is there.
    const info = present ?? await this.#call(tally, () => content.info(digest, this.#options));
    const change = lacking(labels, info.labels);
    if (Object.keys(change).length > 0) {
      await this.#call(tally, () => content.update(digest, { labels: change, ...this.#options }));
    }
  }

  /** A call that can safely be made again: when its answer is lost, once more if containerd is there and well. */
  async #settled<T>(tally: Tally, work: () => Promise<T>): Promise<T> {
    try {
      return await this.#call(tally, work);
    } catch (error) {
      if (!(error instanceof OutcomeUnknownError || error instanceof DeadlineExceededError)) throw error;
      await this.#call(tally, () => this.#target.introspection.version(this.#options)).catch(() => {
        throw error;
      });
      return await this.#call(tally, work);
    }
  }

  #call<T>(tally: Tally, work: () => Promise<T>): Promise<T> {
    return this.#limiter.run(() => {
      this.#options.signal?.throwIfAborted();
      tally.calls++;
      return work();
    });
  }
}

/** Waits for all, then throws the first failure: nothing goes on behind the back of a failed image. */
async function settleAll(work: Promise<void>[]): Promise<void> {
  const failure = (await Promise.allSettled(work)).find(({ status }) => status === "rejected");
  if (failure) throw (failure as PromiseRejectedResult).reason;
}

interface Which {
  image: ImagePlan;
  from: string;
  to: string;
}

/** The result of an image that nothing was done for; where something was, the caller says what. */
function resultOf({ image, from, to }: Which): CopyResult {
  if (image.action === "impossible") return failed({ image, from, to, error: image.error });
  const { source, name, skipped } = image;
  return {
    image: name,
    source: source.name,
    from,
    to,
    digest: source.target.digest,
    status: "exists",
    ...(skipped > 0 && { reason: `${skipped} of its platforms not complete in ${JSON.stringify(from)}` }),
    blobs: 0,
    bytesMoved: 0,
    calls: 0,
  };
}

function failed({ image: { source, name }, from, to, error }: Which & { error: unknown }): CopyResult {
  const reason = error instanceof Error ? error.message : String(error);
  return {
    image: name,
    source: source.name,
    from,
    to,
    digest: source.target.digest,
    status: "failed",
    reason,
    error,
    blobs: 0,
    bytesMoved: 0,
    calls: 0,
  };
}
