/** The streams of requests with which blobs get into containerd; what they are for is with `Content`. */
import type {
  WriteAction,
  WriteContentRequest,
  WriteContentResponse,
} from "../proto/gen/containerd/services/content/v1/content.ts";
import { Exchange } from "./content_exchange.ts";
import { toNumber } from "./convert.ts";
import { AlreadyExistsError, ContainerdError, containerdError } from "./errors.ts";
import type { Scope, ScopedCall } from "./scope.ts";
import { Deadline } from "./transport/deadline.ts";
import { Content as methods } from "./transport/methods.ts";

/** What identifies a blob to write, and the labels that it gets. */
export interface BlobTarget {
  /** What the bytes have to come to: `sha256:…`, `sha384:…` or `sha512:…`. */
  digest: string;
  /** Bytes. */
  size: number;
  /** Names the ingest. Default: derived from the digest, so that a second run finds the first one's ingest. */
  ref?: string;
  /** By key; `gcLabels` makes those that name children. Default: none. */
  labels?: Record<string, string>;
}

/** How a write ended. */
export interface Written {
  /** Of the blob that is there now: `sha256:…`. */
  digest: string;
  /** The blob was here already; its labels are as they were, and the lease now holds it. */
  existed: boolean;
  /** 0 also when the blob could be shared with another namespace. */
  sentBytes: number;
}

/** Bytes to write of which little is known before: only containerd tells what they came to. */
export interface IngestTarget extends Pick<BlobTarget, "labels"> {
  /** Names the ingest. */
  ref: string;
  /** Bytes, if that is known. */
  size?: number | undefined;
  /** What the digest has to be, if that is known. */
  expected?: string | undefined;
}

/** A write as containerd gets it; the digest is empty when only containerd will know it. */
type Write = IngestTarget & { digest: string };

/** As literals: the generated enum would load the codec. */
const actions = { stat: 0, write: 1, commit: 2 } as const satisfies Record<string, WriteAction>;

/** Bytes in one message; containerd takes at most 16 MiB. */
const chunkBytes = 1024 * 1024;

/** Not worth copying to fill up a message. */
const fairBytes = 256 * 1024;

/** Messages on their way at once, so that containerd need not wait for the next one. */
const chunksAtOnce = 4;

/** One message that commits what another namespace has. */
export async function shareBlob(
  scope: Scope,
  { ref, digest, size, labels = {} }: BlobTarget & { ref: string },
  call: ScopedCall,
): Promise<"shared" | "exists" | "absent"> {
  const total = BigInt(size);
  // With an offset of 0 containerd would truncate the shared writer.
  const commit = { action: actions.commit, ref, total, expected: digest, offset: total, labels };
  try {
    for await (const _reply of scope.stream(methods.write, [commit], call)) {
      return "shared";
    }
  } catch (error) {
    if (!(error instanceof ContainerdError)) throw error;
    if (error instanceof AlreadyExistsError) return "exists";
    if (isLocked(error)) return "absent"; // somebody writes it under this ref, which nobody does with a shared one
    await abandon(scope, ref); // every other refusal leaves an ingest behind
    if (error.code === "out_of_range") return "absent";
    throw error;
  }
  throw lostReply(scope, call);
}

/** All bytes of a blob, from where an earlier write stopped, and their commit. */
export async function sendBlob(
  scope: Scope,
  { ref, digest, size, expected, labels = {} }: Write,
  { source, ...call }: ScopedCall & { source: (offset: number) => AsyncIterable<Uint8Array> },
): Promise<Written> {
  using deadline = new Deadline(methods.write, { namespace: scope.namespace, ...call });
  const exchange = new Exchange<WriteContentResponse>(deadline);
  const total = BigInt(size ?? 0); // to containerd, 0 is as good as unknown
  let sentBytes = 0;
  let commits = false;
  async function* requests(): AsyncIterable<Partial<WriteContentRequest>> {
    try {
      // Once is enough: with every message containerd would look whether somebody has the blob meanwhile, and then
      // give up without holding it by the lease.
      yield exchange.asking({ action: actions.stat, ref, total, expected: digest });
      let { offset } = await exchange.answers();
      if (digest === "") offset = 0n;
      // Told of no bytes, containerd shares a blob of any size.
      if (size !== undefined && offset > total) throw otherSize(scope, { call, offset, total });
      const isWhole = size !== undefined && offset === total;
      const pieces = isWhole ? [] : exchange.whileOpen(source(toNumber(offset)));
      for await (const data of chunks(pieces)) {
        await exchange.answers({ allBut: chunksAtOnce - 1 });
        yield exchange.asking({ action: actions.write, ref, total, offset, data });
        offset += BigInt(data.length);
        sentBytes += data.length;
      }
      const { digest: computed } = await exchange.answers();
      // Told of it, containerd would take the blob's being there already for the end, without holding it by the lease.
      if (expected !== undefined && computed !== expected) {
        throw otherDigest(scope, { call, computed, expected });
      }
      commits = true;
      yield exchange.asking({ action: actions.commit, ref, total, offset, labels });
    } finally {
      exchange.close();
    }
  }
  const written = () => ({ digest: digest || exchange.latest!.digest, sentBytes });
  // The end of the stream must show while the source is waited for, too, however long that takes.
  const waiting = { ...call, signal: deadline.signal, timeoutMs: Infinity };
  try {
    for await (const reply of scope.stream(methods.write, requests(), waiting)) {
      if (reply.action === actions.commit) return { ...written(), existed: false };
      exchange.answered(reply);
    }
  } catch (error) {
    if (error instanceof AlreadyExistsError) return { ...written(), existed: true };
    // A write that may go on later keeps its bytes; one that containerd would not have would fail again. What it
    // refused to open is not ours.
    const mayGoOn = digest !== "" && (isLoss(error) || (error as { isTemporary?: boolean }).isTemporary);
    if (exchange.latest && !mayGoOn) await abandon(scope, ref);
    if (commits && isOfOtherAlgorithm(error, digest)) throw notSha256(error);
    throw commits ? error : withoutEffect(error);
  } finally {
    exchange.close();
  }
  throw lostReply(scope, call);
}

/** Whether containerd was lost; what a source says of itself that has lost another, `isTemporary`. */
function isLoss(error: unknown): error is ContainerdError {
  return error instanceof ContainerdError &&
    (error.code === "unavailable" || error.code === "deadline_exceeded");
}

/** What was lost before its commit has made nothing that anybody sees. */
function withoutEffect(error: unknown): unknown {
  if (!(isLoss(error) && error.outcome === "unknown")) return error;
  return containerdError({ ...error.details, outcome: "no effect" }, { cause: error });
}

/** Whether containerd refused a ref because a write under it is going on. */
export function isLocked(error: unknown): boolean {
  return error instanceof ContainerdError && error.code === "unavailable" && error.outcome === "refused";
}

/** Cleans up after a failure, which stays the one to report; not with its signal, which may be why it failed. */
async function abandon(scope: Scope, ref: string): Promise<void> {
  await scope.unary(methods.abort, { ref }, { action: "abort", timeoutMs: 5_000 }).catch(() => {});
}

function otherDigest(
  { namespace }: Scope,
  { call: { action, resource }, computed, expected }: {
    call: ScopedCall;
    computed: string;
    expected: string;
  },
): ContainerdError {
  return containerdError({
    code: "failed_precondition",
    reason: `the bytes have digest ${computed}, not ${expected}`,
    outcome: "refused",
    action,
    resource,
    namespace,
    method: methods.write.name,
  });
}

function otherSize(
  { namespace }: Scope,
  { call: { action, resource }, offset, total }: { call: ScopedCall; offset: bigint; total: bigint },
): ContainerdError {
  return containerdError({
    code: "data_loss",
    reason: `it has ${offset} bytes, not ${total} as said`,
    outcome: "no effect",
    action,
    resource,
    namespace,
    method: methods.write.name,
  });
}

/** Whether containerd refused a digest because it computes another one of all bytes. */
function isOfOtherAlgorithm(error: unknown, digest: string): error is ContainerdError {
  return error instanceof ContainerdError && error.code === "failed_precondition" &&
    digest !== "" && !digest.startsWith("sha256:");
}

function notSha256(error: ContainerdError): ContainerdError {
  const reason = "this containerd takes content by its sha256 alone";
  return containerdError({ ...error.details, code: "unimplemented", reason }, { cause: error });
}

function lostReply({ namespace }: Scope, { action, resource }: ScopedCall): ContainerdError {
  return containerdError({
    code: "unavailable",
    reason: "connection lost: no reply to the commit",
    outcome: "unknown",
    action,
    resource,
    namespace,
    method: methods.write.name,
  });
}

/** The same bytes in pieces that suit a message: small ones together, large ones apart, and those between as they are. */
async function* chunks(
  source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  let gathered: Uint8Array | undefined;
  let length = 0;
  for await (const bytes of source) {
    if (gathered && length + bytes.length > chunkBytes) {
      yield gathered.subarray(0, length);
      gathered = undefined;
    }
    if (gathered === undefined && bytes.length >= fairBytes) {
      for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
      continue;
    }
    if (gathered === undefined) {
      gathered = new Uint8Array(chunkBytes);
      length = 0;
    }
    gathered.set(bytes, length);
    length += bytes.length;
  }
  if (gathered) yield gathered.subarray(0, length);
}
