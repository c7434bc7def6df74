import type {
  Info as InfoMessage,
  Status as StatusMessage,
  WriteAction,
  WriteContentRequest,
  WriteContentResponse,
} from "../proto/gen/containerd/services/content/v1/content.ts";
import { labelChange, toDate, toNumber } from "./convert.ts";
import { AlreadyExistsError, ContainerdError, containerdError, NotFoundError } from "./errors.ts";
import { parseDigest, verifyDigest } from "./oci/descriptor.ts";
import type { Scope } from "./scope.ts";
import { Content as methods } from "./transport/methods.ts";
import type { CallOptions } from "./transport/transport.ts";

/** A blob as a namespace sees it. The bytes may be shared with other namespaces, the labels are not. */
export interface ContentInfo {
  digest: string;
  /** Bytes. */
  size: number;
  labels: Record<string, string>;
  createdAt: Date;
  updatedAt: Date;
}

/** A write that was begun and not committed. */
export interface Ingest {
  ref: string;
  /** Bytes written so far. */
  offset: number;
  /** Bytes expected in all; 0 when unknown. */
  total: number;
  /** The digest expected; empty when unknown. */
  expected: string;
  startedAt: Date;
  updatedAt: Date;
}

/** What identifies a blob to write, and the labels that it gets. */
export interface BlobTarget {
  digest: string;
  /** Bytes. */
  size: number;
  /** Names the ingest. Default: derived from the digest, so that a second run finds the first one's ingest. */
  ref?: string;
  labels?: Record<string, string>;
}

/** How a write ended. */
export interface Written {
  /** The blob was here already; its labels are as they were, and the lease now holds it. */
  existed: boolean;
  /** 0 also when the blob could be shared with another namespace. */
  sentBytes: number;
}

/** As literals: the generated enum would load the codec. */
const actions = { stat: 0, write: 1, commit: 2 } as const satisfies Record<string, WriteAction>;

/** Bytes in one message; containerd takes at most 16 MiB. */
const chunkBytes = 1024 * 1024;

/** Above this, a blob is read as a true stream instead of in one piece. */
const smallBytes = 8 * 1024 * 1024;

/** containerd's content service, in one namespace. */
export class Content {
  readonly #scope: Scope;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /** @throws {NotFoundError} when this namespace has no such blob. */
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
    const call = { action: "read", resource: described(digest), verified: true, ...options };
    for await (const { data } of this.#scope.stream(methods.read, [{ digest }], call)) {
      if (length + data.length <= size) bytes.set(data, length);
      length += data.length;
    }
    if (length !== size || !(await verifyDigest(bytes, digest))) {
      throw containerdError({
        ...call,
        code: "data_loss",
        reason: length === size ? "the bytes have another digest" : `${length} bytes instead of ${size}`,
        outcome: "refused",
        namespace: this.#scope.namespace,
        method: methods.read.name,
      });
    }
    return bytes;
  }

  /**
   * Makes a blob that another namespace has appear in this one, without moving a byte. Resolves to `"shared"`, to
   * `"exists"` when it is here already (the lease then holds it, its labels are as they were), or to `"absent"`
   * when containerd cannot share it: nobody has it, or the content policy is `isolated`.
   *
   * @throws {SyntaxError} when the digest is malformed; containerd would create the namespace before it noticed.
   */
  async share(target: BlobTarget, options: CallOptions = {}): Promise<"shared" | "exists" | "absent"> {
    const { digest, size, labels = {}, ref = refOf(digest) } = target;
    parseDigest(digest);
    const total = BigInt(size);
    // With an offset of 0 containerd would truncate the shared writer.
    const commit = { action: actions.commit, ref, total, expected: digest, offset: total, labels };
    const call = { action: "share", resource: described(digest), verified: true, ...options };
    try {
      for await (const _reply of this.#scope.stream(methods.write, [commit], call)) return "shared";
    } catch (error) {
      if (!(error instanceof ContainerdError)) throw error;
      if (error instanceof AlreadyExistsError) return "exists";
      await this.#abandon(ref); // every refusal leaves an ingest behind
      if (error.code === "out_of_range") return "absent";
      throw error;
    }
    throw lostReply(call, this.#scope.namespace);
  }

  /**
   * Writes a blob from its bytes and commits it once size and digest are right. Resumes an earlier write of the
   * same ref: `source` is called with the offset to start from, unless the blob is here already or could be shared
   * with another namespace.
   *
   * @throws {SyntaxError} when the digest is malformed.
   * @throws {ContainerdError} when the bytes are not those of the digest; the write is then aborted.
   */
  async write(
    target: BlobTarget,
    source: (offset: number) => AsyncIterable<Uint8Array>,
    options: CallOptions = {},
  ): Promise<Written> {
    const { digest, size, labels = {}, ref = refOf(digest) } = target;
    parseDigest(digest);
    const total = BigInt(size);
    const call = { action: "write", resource: described(digest), ...options };
    const replies = new Replies<WriteContentResponse>();
    const identity = { ref, total, expected: digest };
    let sentBytes = 0;
    async function* requests(): AsyncIterable<Partial<WriteContentRequest>> {
      yield { action: actions.stat, ...identity };
      let { offset } = await replies.next();
      for await (const data of offset < total ? chunks(source(toNumber(offset))) : []) {
        yield { action: actions.write, ...identity, offset, data };
        ({ offset } = await replies.next());
        sentBytes += data.length;
      }
      yield { action: actions.commit, ...identity, offset, labels };
    }
    try {
      for await (const reply of this.#scope.stream(methods.write, requests(), call)) {
        if (reply.action === actions.commit) return { existed: false, sentBytes };
        replies.push(reply);
      }
    } catch (error) {
      if (error instanceof AlreadyExistsError) return { existed: true, sentBytes };
      // A write that may go on later keeps its bytes; one that containerd refused would fail again.
      if (!(error instanceof ContainerdError) || error.outcome === "refused") await this.#abandon(ref);
      throw error;
    } finally {
      replies.close();
    }
    throw lostReply(call, this.#scope.namespace);
  }

  /** @throws {NotFoundError} when there is no ingest of that ref. */
  async status(ref: string, options: CallOptions = {}): Promise<Ingest> {
    const { status } = await this.#scope.unary(methods.status, { ref }, {
      action: "get",
      resource: `ingest ${JSON.stringify(ref)}`,
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

  /** @throws {NotFoundError} when there is no ingest of that ref. */
  async abort(ref: string, options: CallOptions = {}): Promise<void> {
    await this.#scope.unary(methods.abort, { ref }, {
      action: "abort",
      resource: `ingest ${JSON.stringify(ref)}`,
      ...options,
    });
  }

  /** Cleans up after a failure, which stays the one to report; not with its signal, which may be why it failed. */
  async #abandon(ref: string): Promise<void> {
    await this.abort(ref, { timeoutMs: 5_000 }).catch(() => {});
  }
}

/** Hands each reply to the request that waits for it. */
class Replies<Reply> {
  #waiting: PromiseWithResolvers<Reply> = Promise.withResolvers();

  push(reply: Reply): void {
    this.#waiting.resolve(reply);
  }

  async next(): Promise<Reply> {
    const reply = await this.#waiting.promise;
    this.#waiting = Promise.withResolvers();
    return reply;
  }

  close(): void {
    this.#waiting.promise.catch(() => {});
    this.#waiting.reject(new DOMException("The write has ended", "AbortError"));
  }
}

async function* chunks(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  for await (const bytes of source) {
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
  }
}

function refOf(digest: string): string {
  return `davit-${digest}`;
}

function described(digest: string): string {
  return `content ${digest}`;
}

function lostReply(call: { action: string; resource: string }, namespace: string): ContainerdError {
  const reason = "connection lost: no reply to the commit";
  return containerdError({
    ...call,
    code: "unavailable",
    reason,
    outcome: "unknown",
    namespace,
    method: methods.write.name,
  });
}

function fromInfo({ digest, size, labels, createdAt, updatedAt }: InfoMessage): ContentInfo {
  return { digest, size: toNumber(size), labels, createdAt: toDate(createdAt), updatedAt: toDate(updatedAt) };
}

function fromStatus({ ref, offset, total, expected, startedAt, updatedAt }: StatusMessage): Ingest {
  return {
    ref,
    offset: toNumber(offset),
    total: toNumber(total),
    expected,
    startedAt: toDate(startedAt),
    updatedAt: toDate(updatedAt),
  };
}
