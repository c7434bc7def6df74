import type {
  WriteAction,
  WriteContentRequest,
  WriteContentResponse,
} from "../../proto/gen/containerd/services/content/v1/content.ts";
import type { Call } from "../transport/transport.ts";
import { Ingest } from "./ingest.ts";
import { checkLabels, keptLabels } from "./names.ts";
import { Refusal, refusal } from "./refusal.ts";
import { checkLease, hold, letGo, now, type State } from "./state.ts";

/** As literals: the generated enum would load the codec. */
const actions = { write: 1, commit: 2 } as const satisfies Record<string, WriteAction>;

/** Answers each request of a stream that writes a blob, the commit at the end. */
export async function* writeContent(
  state: State,
  requests: AsyncIterable<WriteContentRequest>,
  call: Call,
): AsyncGenerator<WriteContentResponse, WriteContentResponse | void> {
  let ingest: Ingest | undefined;
  let { total, expected } = { total: 0n, expected: "" };
  try {
    for await (const request of requests) {
      if (request.total > 0n) total = request.total;
      if (request.expected !== "") expected = request.expected;
      if (ingest === undefined) ingest = open(state, request, call);
      else if (request.expected !== "") refuseExisting(state, expected, call);
      const { action, data } = request;
      if (action === actions.write || action === actions.commit) {
        write(ingest, { at: request.offset, data });
      }
      if (action === actions.commit) {
        const reply = replyTo(request, ingest);
        commit(state, ingest, { total, expected, labels: request.labels, call });
        return reply;
      }
      yield { ...replyTo(request, ingest), ...(action !== actions.write && { total }) };
    }
  } finally {
    if (ingest) ingest.openSinceMs = undefined;
  }
}

function open(state: State, { ref, total, expected }: WriteContentRequest, call: Call): Ingest {
  if (ref === "") throw new Refusal("invalid_argument", "first message must have a reference");
  const { namespace, lease } = call;
  checkLease(state.at(namespace), lease);
  refuseExisting(state, expected, call);
  const before = state.at(namespace).ingests.get(ref);
  const shared = shareable(state, { total, expected });
  if (!shared && before?.openSinceMs !== undefined) {
    throw refusal("unavailable", `ref ${ref} locked for ${Date.now() - before.openSinceMs}ms`);
  }
  const inside = state.reach(namespace);
  const goesOn = before && !before.isShared && !shared;
  const ingest = goesOn
    ? before
    : new Ingest(ref, { total, expected, unleased: lease === undefined, shared });
  if (!shared) ingest.openSinceMs = Date.now(); // those that share may be several
  inside.ingests.set(ref, ingest);
  hold(inside, lease, { type: "ingests", id: ref });
  return ingest;
}

/** A blob that is here already ends the write, and is held by its lease. */
function refuseExisting(state: State, digest: string, { namespace, lease }: Call): void {
  const inside = state.at(namespace);
  if (!inside.content.has(digest)) return;
  hold(inside, lease, { type: "content", id: digest });
  throw refusal("already_exists", `content ${digest}`);
}

/** The bytes that the write need not send because another namespace has them. */
function shareable(
  state: State,
  { total, expected }: Pick<WriteContentRequest, "total" | "expected">,
): Uint8Array | undefined {
  const bytes = state.blobs.get(expected);
  if (bytes === undefined || (total !== 0n && total !== BigInt(bytes.length))) return undefined;
  if (state.policy === "shared") return bytes;
  const offered = [...state.namespaces.values()].some(({ labels, content }) =>
    labels["containerd.io/namespace.shareable"] === "true" && content.has(expected)
  );
  return offered ? bytes : undefined;
}

function write(ingest: Ingest, { at, data }: { at: bigint; data: Uint8Array }): void {
  if (at > 0n && at !== ingest.offset) {
    throw new Refusal("out_of_range", `write @${at} must occur at current offset ${ingest.offset}`);
  }
  if (at === 0n && ingest.offset > 0n) ingest.truncate();
  if (data.length > 0) ingest.write(data);
}

function commit(
  state: State,
  ingest: Ingest,
  { total, expected, labels, call: { namespace, lease } }: {
    total: bigint;
    expected: string;
    labels: Record<string, string>;
    call: Call;
  },
): void {
  checkLabels(labels);
  const { ref, digest, offset } = ingest;
  if (total > 0n && offset !== total) {
    throw refusal("failed_precondition", `"${ref}" failed size validation: ${offset} != ${total}`);
  }
  if (expected !== "" && digest !== expected) {
    throw refusal("failed_precondition", `unexpected commit digest ${digest}, expected ${expected}`);
  }
  const inside = state.reach(namespace); // it may have been deleted meanwhile
  const resource = { type: "content", id: digest };
  inside.ingests.delete(ref);
  if (lease !== undefined) letGo(inside, lease, { type: "ingests", id: ref });
  hold(inside, lease, resource);
  if (inside.content.has(digest)) throw refusal("already_exists", `content ${digest}`);
  state.blobs.set(digest, state.blobs.get(digest) ?? ingest.bytes());
  const createdAt = now();
  inside.content.set(digest, {
    digest,
    size: offset,
    labels: keptLabels(labels),
    createdAt,
    updatedAt: createdAt,
  });
}

function replyTo({ action }: WriteContentRequest, ingest: Ingest): WriteContentResponse {
  const { startedAt, updatedAt, offset, digest } = ingest;
  return { action, startedAt, updatedAt, offset, total: 0n, digest };
}
