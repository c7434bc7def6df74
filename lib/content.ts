import type {
  Info as InfoMessage,
  Status as StatusMessage,
} from "../proto/gen/containerd/services/content/v1/content.ts";
import { verified } from "./content_read.ts";
import {
  type BlobTarget,
  type IngestTarget,
  isLocked,
  sendBlob,
  shareBlob,
  type Written,
} from "./content_write.ts";
import { labelChange, toDate, toDateIfAny, toNumber } from "./convert.ts";
import { type ContainerdError, containerdError, NotFoundError } from "./errors.ts";
import { parseDigest, verifyDigest } from "./oci/descriptor.ts";
import { quoted } from "./oci/quoted.ts";
import type { Scope } from "./scope.ts";
import { Content as methods } from "./transport/methods.ts";
import type { CallOptions } from "./transport/transport.ts";

export type { BlobTarget, IngestTarget, Written };

/** A blob as a namespace sees it. The bytes may be shared with other namespaces, the labels are not. */
export interface ContentInfo {
  /** `sha256:…`, seldom `sha384:…` or `sha512:…`. */
  digest: string;
  /** Bytes. */
  size: number;
  /** By key; each `containerd.io/gc.ref.…` names something that the blob keeps from being collected. */
  labels: Record<string, string>;
  /** When it came into the namespace. */
  createdAt: Date;
  /** The last change of its labels; lists of containerd 1.6 and 1.7 lack it. */
  updatedAt: Date | undefined;
}

/** A write that was begun and not committed. */
export interface Ingest {
  /** Names the write in its namespace. */
  ref: string;
  /** Bytes written so far. */
  offset: number;
  /** Bytes expected in all; 0 when unknown. */
  total: number;
  /** When it was begun. */
  startedAt: Date;
  /** When bytes last came. */
  updatedAt: Date;
}

/** Above this, a blob is read as a true stream instead of in one piece. */
const smallBytes = 8 * 1024 * 1024;

/**
 * containerd's content service, in one namespace.
 *
 * ```ts
 * import { digestOf } from "davit";
 * import { assertEquals, InMemoryContainerd } from "davit/testing";
 *
 * await using containerd = new InMemoryContainerd().client();
 * const { content } = containerd.namespace("build");
 * const bytes = new TextEncoder().encode("text");
 * const blob = { digest: await digestOf(bytes), size: bytes.length };
 * await content.write(blob, (offset) => ReadableStream.from([bytes.subarray(offset)]));
 * assertEquals(new TextDecoder().decode(await content.readSmall(blob)), "text");
 * ```
 */
export class Content {
  readonly #scope: Scope;

  /** For {@linkcode NamespacedClient}, whose `content` it is. */
  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /** One blob. @throws {NotFoundError} when this namespace has no such blob. */
  async info(digest: string, options: CallOptions = {}): Promise<ContentInfo> {
    const { info } = await this.#scope.unary(methods.info, { digest }, {
      action: "get",
      resource: described(digest),
      ...options,
    });
    return fromInfo(info!);
  }

  /** The blob, or `undefined` when this namespace has no such one. */
  async find(digest: string, options: CallOptions = {}): Promise<ContentInfo | undefined> {
    try {
      return await this.info(digest, options);
    } catch (error) {
      if (error instanceof NotFoundError) return undefined;
      throw error;
    }
  }

  /** The blobs that match any of the filters (containerd's syntax); all without one. */
  async *list(
    { filters = [], ...options }: CallOptions & { filters?: string[] } = {},
  ): AsyncIterable<ContentInfo> {
    const batches = this.#scope.stream(methods.list, [{ filters }], { action: "list content", ...options });
    for await (const { info } of batches) yield* info.map(fromInfo);
  }

  /**
   * Sets labels; an empty value removes its label, others stay.
   *
   * @throws {NotFoundError} when this namespace has no such blob.
   */
  async update(
    digest: string,
    { labels, ...options }: CallOptions & { labels: Record<string, string> },
  ): Promise<ContentInfo> {
    const change = labelChange(labels);
    if (change.updateMask.length === 0) return await this.info(digest, options); // no mask would mean all labels
    const { info } = await this.#scope.unary(methods.update, {
      info: { digest, labels: change.labels },
      updateMask: change.updateMask,
    }, { action: "label", resource: described(digest), ...options });
    return fromInfo(info!);
  }

  /**
   * Deletes a blob from this namespace, even if an image needs it. Most callers want to delete images instead.
   *
   * @throws {NotFoundError} when this namespace has no such blob.
   */
  async delete(digest: string, options: CallOptions = {}): Promise<void> {
    await this.#scope.unary(methods.delete, { digest }, {
      action: "delete",
      resource: described(digest),
      ...options,
    });
  }

  /**
   * The bytes of a blob, from `offset`, in pieces of up to 1 MiB. The digest is not checked here.
   *
   * @throws {NotFoundError} when this namespace has no such blob.
   */
  async *read(
    digest: string,
    { offset = 0, size = 0, ...options }: CallOptions & { offset?: number; size?: number } = {},
  ): AsyncIterable<Uint8Array<ArrayBuffer>> {
    const request = { digest, offset: BigInt(offset), size: BigInt(size) };
    const call = { action: "read", resource: described(digest), ...options };
    for await (const { data } of this.#scope.stream(methods.read, [request], call)) {
      yield data as Uint8Array<ArrayBuffer>;
    }
  }

  /**
   * The whole of a small blob (at most 8 MiB), with its size and digest checked.
   *
   * @throws {NotFoundError} when this namespace has no such blob.
   * @throws {RangeError} when it is larger than 8 MiB.
   * @throws {ContainerdError} `data_loss` when the bytes are not those of the digest.
   */
  async readSmall(
    { digest, size }: { digest: string; size: number },
    options: CallOptions = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    if (size > smallBytes) {
      throw new RangeError(
        `Cannot read ${described(digest)} at once: ${size} bytes are more than ${smallBytes}`,
      );
    }
    const bytes = new Uint8Array(size);
    let length = 0;
    const call = { action: "read", resource: described(digest), ...options };
    for await (const { data } of this.#scope.stream(methods.read, [{ digest }], call)) {
      if (length + data.length <= size) bytes.set(data, length);
      length += data.length;
    }
    if (length !== size) throw this.#damaged(call, `${length} bytes instead of ${size}`);
    if (!(await verifyDigest(bytes, digest))) throw this.#damaged(call, "the bytes have another digest");
    return bytes;
  }

  /**
   * The bytes of a blob of any size, in pieces of up to 8 MiB, with size and digest checked. The last piece comes only
   * when they are right.
   *
   * @throws {NotFoundError} when this namespace has no such blob.
   * @throws {ContainerdError} `data_loss` when the bytes are not those of the digest.
   */
  async *readVerified(
    { digest, size }: { digest: string; size: number },
    options: CallOptions = {},
  ): AsyncIterable<Uint8Array<ArrayBuffer>> {
    if (size <= smallBytes) {
      yield await this.readSmall({ digest, size }, options);
      return;
    }
    const call = { action: "read", resource: described(digest) };
    const wrong = (reason: string) => this.#damaged(call, reason);
    yield* verified(this.read(digest, options), { digest, size }, wrong);
  }

  /**
   * Makes a blob that another namespace has appear in this one, without moving a byte. Resolves to `"shared"`, to
   * `"exists"` when it is here already (the lease then holds it, its labels are as they were), or to `"absent"`
   * when containerd cannot share it: nobody has it, or the content policy is `isolated`.
   *
   * @throws {SyntaxError} when the digest is malformed; containerd would create the namespace before it noticed.
   */
  async share(target: BlobTarget, options: CallOptions = {}): Promise<"shared" | "exists" | "absent"> {
    const { digest, ref = refOf(digest) } = target;
    parseDigest(digest);
    const call = { action: "share", resource: described(digest), ...options };
    return await shareBlob(this.#scope, { ...target, ref }, call);
  }

  /**
   * Writes a blob from its bytes and commits it once size and digest are right. Resumes an earlier write of the
   * same ref: `source` is called with the offset to start from, unless the blob is here already or could be shared
   * with another namespace. When somebody else is writing the same blob, both write, and who is last finds it there.
   *
   * @throws {SyntaxError} when the digest is malformed.
   * @throws {UnavailableError} when somebody else is writing under the `ref` that was asked for.
   * @throws {ContainerdError} when the bytes are not those of the digest; the write is then aborted.
   */
  async write(
    target: BlobTarget,
    source: (offset: number) => AsyncIterable<Uint8Array>,
    options: CallOptions = {},
  ): Promise<Written> {
    const { digest, ref = refOf(digest) } = target;
    parseDigest(digest);
    const call = { action: "write", resource: described(digest), source, ...options };
    try {
      return await sendBlob(this.#scope, { ...target, ref }, call);
    } catch (error) {
      if (target.ref !== undefined || !isLocked(error)) throw error;
      return await sendBlob(this.#scope, { ...target, ref: `${ref}-${crypto.randomUUID()}` }, call);
    }
  }

  /**
   * Writes bytes as they come, and resolves to their digest, which containerd computes. Starts anew if there is an
   * earlier write of the same ref; failing, it aborts its own.
   *
   * @throws {SyntaxError} when the expected digest is malformed.
   * @throws {UnavailableError} when somebody else is writing under the same ref.
   * @throws {FailedPreconditionError} when the source has another size or digest than expected.
   */
  async ingest(
    target: IngestTarget,
    source: AsyncIterable<Uint8Array>,
    options: CallOptions = {},
  ): Promise<Written> {
    if (target.expected !== undefined) parseDigest(target.expected);
    const call = { action: "write", resource: describedRef(target.ref), source: () => source, ...options };
    return await sendBlob(this.#scope, { ...target, digest: "" }, call);
  }

  /** One ingest. @throws {NotFoundError} when there is no ingest of that ref. */
  async status(ref: string, options: CallOptions = {}): Promise<Ingest> {
    const { status } = await this.#scope.unary(methods.status, { ref }, {
      action: "get",
      resource: describedRef(ref),
      ...options,
    });
    return fromStatus(status!);
  }

  /** The ingests that match any of the filters. Writes that share another namespace's blob do not show. */
  async *listStatuses(
    { filters = [], ...options }: CallOptions & { filters?: string[] } = {},
  ): AsyncIterable<Ingest> {
    const { statuses } = await this.#scope.unary(methods.listStatuses, { filters }, {
      action: "list ingests",
      ...options,
    });
    yield* statuses.map(fromStatus);
  }

  /**
   * Ends an ingest and throws its bytes away.
   *
   * @throws {NotFoundError} when there is no ingest of that ref.
   */
  async abort(ref: string, options: CallOptions = {}): Promise<void> {
    await this.#scope.unary(methods.abort, { ref }, {
      action: "abort",
      resource: describedRef(ref),
      ...options,
    });
  }

  #damaged(call: { action: string; resource: string }, reason: string): ContainerdError {
    return containerdError({
      ...call,
      code: "data_loss",
      reason,
      outcome: "no effect",
      namespace: this.#scope.namespace,
      method: methods.read.name,
    });
  }
}

function refOf(digest: string): string {
  return `davit-${digest}`;
}

function described(digest: string): string {
  return `content ${digest}`;
}

function describedRef(ref: string): string {
  return `ingest ${quoted(ref)}`;
}

function fromInfo({ digest, size, labels, createdAt, updatedAt }: InfoMessage): ContentInfo {
  return {
    digest,
    size: toNumber(size),
    labels,
    createdAt: toDate(createdAt),
    updatedAt: toDateIfAny(updatedAt),
  };
}

function fromStatus({ ref, offset, total, startedAt, updatedAt }: StatusMessage): Ingest {
  return {
    ref,
    offset: toNumber(offset),
    total: toNumber(total),
    startedAt: toDate(startedAt),
    updatedAt: toDate(updatedAt),
  };
}
