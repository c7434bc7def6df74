/** Turns every way a call can fail into a typed error. */
import { type ContainerdError, containerdError, type ErrorCode, type Outcome } from "../errors.ts";
import type { Http2Error } from "./http2/http2_error.ts";
import type { Call, Method } from "./transport.ts";
import { lost, troubleOf } from "./trouble.ts";

/** The codes of errors in the order of their numbers in gRPC, see https://grpc.io/docs/guides/status-codes/ */
export const codes: readonly ErrorCode[] = [
  "unknown", // 0 is success, so an error that claims it is none that we know
  "cancelled",
  "unknown",
  "invalid_argument",
  "deadline_exceeded",
  "not_found",
  "already_exists",
  "permission_denied",
  "resource_exhausted",
  "failed_precondition",
  "aborted",
  "out_of_range",
  "unimplemented",
  "internal",
  "unavailable",
  "data_loss",
  "unauthenticated",
];

interface Cause {
  code: ErrorCode;
  reason: string;
  outcome: Outcome;
  cause?: unknown;
}

/** The error for a call that failed for `cause`. */
export function failure(method: Method, call: Call, { cause, ...known }: Cause): ContainerdError {
  const { action, resource } = call;
  return containerdError({
    code: known.code,
    reason: visible(withoutRepetition(known, resource)),
    outcome: known.outcome === "unknown" && method.writes === undefined ? "no effect" : known.outcome,
    action,
    resource,
    namespace: method.namespaced ? call.namespace : undefined,
    method: method.name,
  }, cause === undefined ? undefined : { cause });
}

/** The error for a status that the server answered with. */
export function statusFailure(
  method: Method,
  call: Call,
  { code: number, message }: { code: number; message: string },
): ContainerdError {
  const code = codes[number] ?? "unknown";
  return failure(method, call, { code, reason: message || code, outcome: outcomeOf(code, message) });
}

/** The error for a status from grpc-js, which reports the server's and its own troubles with the connection alike. */
export function grpcFailure(
  method: Method,
  call: Call,
  error: Error & { code: number; details: string },
): ContainerdError {
  const trouble = troubleOf(error.details);
  return trouble
    ? failure(method, call, { ...trouble, cause: error })
    : statusFailure(method, call, { code: error.code, message: error.details });
}

/** The error for a connection that was lost, or that the other side would not serve the call on. */
export function connectionFailure(method: Method, call: Call, cause: Http2Error): ContainerdError {
  const outcome = cause.notSent ? "not sent" : "unknown";
  return failure(method, call, { code: "unavailable", reason: lost(cause.message), outcome, cause });
}

/** The error for a call whose time ran out. */
export function deadlineFailure(method: Method, call: Call, timeoutMs: number): ContainerdError {
  const reason = `no answer within ${timeoutMs} ms`;
  return failure(method, call, { code: "deadline_exceeded", reason, outcome: "unknown" });
}

/** The error for an answer that breaks off or is none. */
export function lostAnswer(method: Method, call: Call): ContainerdError {
  return failure(method, call, {
    code: "unavailable",
    reason: lost("incomplete answer"),
    outcome: "unknown",
  });
}

/** The error for an answer whose message cannot be decoded. */
export function malformedAnswer(method: Method, call: Call, cause: unknown): ContainerdError {
  const reason = `malformed answer: ${cause instanceof Error ? cause.message : cause}`;
  return failure(method, call, { code: "internal", reason, outcome: "unknown", cause });
}

/** The error for something that answers and is not containerd. */
export function notContainerd(method: Method, call: Call, what: string): ContainerdError {
  const reason = `not a containerd socket: ${what}`;
  return failure(method, call, { code: "unavailable", reason, outcome: "not sent" });
}

/** Only codes with which containerd says why it did not even try are a refusal; others may come after a change. */
function outcomeOf(code: ErrorCode, message: string): Outcome {
  switch (code) {
    case "invalid_argument":
    case "not_found":
    case "already_exists":
    case "permission_denied":
    case "failed_precondition":
    case "out_of_range":
    case "unimplemented":
    case "unauthenticated":
      return "refused";
    case "resource_exhausted":
      // Of the request; "trying to send message larger than max" is about the answer, after the work was done.
      return /received message larger|Attempted to send/.test(message) ? "refused" : "unknown";
    case "unavailable":
      return /^ref .* locked /.test(message) ? "refused" : "unknown"; // another writer has it
    default:
      return "unknown";
  }
}

/** containerd names the thing in front of its reason, in a quoting of its own: `image "x": not found`. */
function withoutRepetition({ code, reason }: Cause, resource = ""): string {
  const [kind] = resource.split(" ", 1);
  const saysItAll = code === "not_found" || code === "already_exists";
  return saysItAll && reason.startsWith(`${kind} `) ? code.replace("_", " ") : reason;
}

/** Server texts repeat names as they came; a terminal must never interpret them. */
function visible(text: string): string {
  return text.replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}
