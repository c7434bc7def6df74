import type { NamespacedClient } from "./client.ts";
import { mapConcurrent } from "./concurrency.ts";
import type { ContentInfo } from "./content.ts";
import { ContainerdError, NotFoundError } from "./errors.ts";
import { type InspectedBlob, inspectImage } from "./image/inspect.ts";
import type { Image } from "./images.ts";
import { parseDigest } from "./oci/descriptor.ts";
import type { Progress } from "./plugin.ts";
import type { CallOptions } from "./transport/transport.ts";

/** A blob, and whether its bytes are those that its digest names. */
export interface VerifiedBlob {
  /** A namespace that knows the blob, or was asked for it. */
  namespace: string;
  /** `sha256:…`, what the bytes have to come to. */
  digest: string;
  /** Bytes, as its namespace says; absent when that does not know the blob. */
  size?: number;
  /** `"missing"`: the namespace does not know it, or containerd has lost its bytes. */
  status: "ok" | "damaged" | "missing";
  /** What is wrong. */
  reason?: string;
}

/** What to verify. */
export interface VerifyOptions extends CallOptions {
  /** Only these blobs. Default: all. */
  digests?: readonly string[] | undefined;
  /** Only what there is of these images. */
  images?: readonly Image[] | undefined;
  /** Told how many bytes are read. */
  onProgress?: ((state: Progress) => void) | undefined;
}

/** Blobs under way at once: each takes up to 8 MiB. */
const blobsAtOnce = 4;

/**
 * Reads blobs and computes their digests anew; what several namespaces share is read once. Yields in the order of the
 * namespaces, a blob that is deleted meanwhile not at all.
 *
 * ```ts
 * import { connect, verifyContent } from "davit";
 *
 * async function example() {
 *   await using client = await connect({ address: "/run/containerd/containerd.sock" });
 *   for await (const { digest, status } of verifyContent([client.namespace("k8s.io")])) {
 *     if (status !== "ok") console.log(digest, status);
 *   }
 * }
 * ```
 *
 * @throws {SyntaxError} when one of `digests` is malformed.
 */
export async function* verifyContent(
  clients: readonly NamespacedClient[],
  { digests, images, onProgress, ...options }: VerifyOptions = {},
): AsyncIterable<VerifiedBlob> {
  digests?.forEach(parseDigest);
  const blobs: Entry[] = [];
  for (const client of clients) blobs.push(...await blobsIn(client, { digests, images, ...options }));
  const verifier = new Verifier(blobs, { onProgress, ...options });
  const results = mapConcurrent(blobs, (blob) => verifier.verify(blob), { limit: blobsAtOnce });
  for await (const result of results) if (result !== undefined) yield result;
}

/** A blob to read. */
interface Entry {
  client: NamespacedClient;
  digest: string;
  /** Absent where the namespace does not know it. */
  size?: number;
}

/** All are listed before the first is read: a list that waits would keep containerd from cleaning up its records. */
async function blobsIn(
  client: NamespacedClient,
  { digests, images, ...options }: Omit<VerifyOptions, "onProgress">,
): Promise<Entry[]> {
  const { content } = client;
  const blob = ({ digest, size }: Pick<ContentInfo, "digest" | "size">) => ({ client, digest, size });
  if (digests === undefined && images === undefined) {
    return await Array.fromAsync(content.list(options), blob);
  }
  const wanted = new Set(digests);
  const found = new Map<string, Entry>();
  for (const image of images ?? []) {
    const { target } = await inspectImage(client, image, options);
    for (const { digest } of presentIn(target)) wanted.add(digest);
  }
  for (const digest of wanted) {
    const info = await content.find(digest, options);
    found.set(digest, info === undefined ? { client, digest } : blob(info));
  }
  return [...found.values()];
}

function presentIn(blob: InspectedBlob): InspectedBlob[] {
  const { present, manifests = [], config, layers = [] } = blob;
  const below = [...manifests, ...config ? [config] : [], ...layers].flatMap(presentIn);
  return present ? [blob, ...below] : below;
}

type Verdict = Pick<VerifiedBlob, "status" | "reason">;

class Verifier {
  readonly #options: CallOptions;
  readonly #onProgress: (state: Progress) => void;
  readonly #verdicts = new Map<string, Promise<Verdict>>();
  readonly #total: number;
  #done = 0;

  constructor(blobs: readonly Entry[], { onProgress = () => {}, ...options }: VerifyOptions) {
    this.#options = options;
    this.#onProgress = onProgress;
    const sizes = new Map(blobs.map(({ digest, size = 0 }) => [digest, size]));
    this.#total = sizes.values().reduce((sum, size) => sum + size, 0);
  }

  /** Resolves to `undefined` when the blob is no longer known. */
  async verify({ client, digest, size }: Entry): Promise<VerifiedBlob | undefined> {
    const blob = { namespace: client.name, digest };
    if (size === undefined) return { ...blob, status: "missing", reason: "the namespace does not know it" };
    try {
      return { ...blob, size, ...await this.#verdict(client, { digest, size }) };
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
      if (await client.content.find(digest, this.#options) === undefined) return undefined;
      return { ...blob, size, status: "missing", reason: "containerd has lost its bytes" };
    }
  }

  /** Of all namespaces that know a blob one is asked for its bytes; the next one too if that has it no more. */
  #verdict({ content }: NamespacedClient, blob: { digest: string; size: number }): Promise<Verdict> {
    const read = () => this.#read(content.readVerified(blob, this.#options));
    const earlier = this.#verdicts.get(blob.digest);
    const verdict = earlier?.catch(read) ?? read();
    this.#verdicts.set(blob.digest, verdict);
    return verdict;
  }

  async #read(pieces: AsyncIterable<Uint8Array>): Promise<Verdict> {
    try {
      for await (const { length } of pieces) {
        this.#done += length;
        this.#onProgress({ task: "verifying", done: this.#done, total: this.#total });
      }
      return { status: "ok" };
    } catch (error) {
      if (!isDamage(error)) throw error;
      return { status: "damaged", reason: error.reason };
    }
  }
}

/** A disk that cannot be read any more shows as an error of which containerd knows no kind. */
function isDamage(error: unknown): error is ContainerdError {
  return error instanceof ContainerdError && (error.code === "data_loss" || error.code === "unknown");
}
