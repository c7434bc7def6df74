/** Turns every way a call can fail into a typed error: the one place that reads statuses and system texts. */
import { type ContainerdError, containerdError, type ErrorCode, type Outcome } from "../errors.ts";
import type { Call, Method } from "./transport.ts";

/** In the order of their numbers, see https://grpc.io/docs/guides/status-codes/ */
const codes: readonly (ErrorCode | "ok")[] = [
  "ok",
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
    ...known,
    // A call that changes nothing leaves nothing to wonder about.
    outcome: known.outcome === "unknown" && method.writes === undefined ? "refused" : known.outcome,
    // containerd repeats the thing in front of its reason: image "x": not found.
    reason: withoutControls(
      resource !== undefined && known.reason.startsWith(`${resource}: `)
        ? known.reason.slice(resource.length + 2)
        : known.reason,
    ),
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
  status: { code: number; message: string },
): ContainerdError {
  const code = codes[status.code] ?? "unknown";
  return failure(method, call, {
    code: code === "ok" ? "unknown" : code,
    reason: status.message || code,
    outcome: outcomeOfStatus(code, status.message),
  });
}

function outcomeOfStatus(code: ErrorCode | "ok", message: string): Outcome {
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
      return message.includes("received message larger") ? "refused" : "unknown";
    case "unknown":
      return "refused"; // a handler's own error, e.g. from runc; containerd wraps few of its errors in statuses
    case "unavailable":
      return message.includes("locked") ? "refused" : "unknown"; // "ref … locked" is an answer, not a lost connection
    default:
      return "unknown";
  }
}

/** The error for a call whose time ran out. */
export function deadlineFailure(method: Method, call: Call, timeoutMs: number): ContainerdError {
  return failure(method, call, {
    code: "deadline_exceeded",
    reason: `no answer within ${timeoutMs} ms`,
    outcome: "unknown",
  });
}

/** The error for a connection that was refused, lost, or turned out to lead elsewhere, from the text of its cause. */
export function connectionFailure(method: Method, call: Call, cause: unknown): ContainerdError {
  const text = causeText(cause);
  const { code, outcome } = classify(text);
  return failure(method, call, { code, reason: reasonFor(text), outcome, cause });
}

/** The error for an answer that breaks off or is none. */
export function lostAnswer(method: Method, call: Call): ContainerdError {
  return failure(method, call, {
    code: "unavailable",
    reason: "connection lost: incomplete answer",
    outcome: "unknown",
  });
}

/** The error for something that answers and is not containerd. */
export function notContainerd(method: Method, call: Call, what: string): ContainerdError {
  return failure(method, call, {
    code: "unavailable",
    reason: `not a containerd socket: ${what}`,
    outcome: "not sent",
  });
}

/** Deno and grpc-js tell these apart by text alone; pinned by tests for the exact version of each. */
function classify(text: string): { code: ErrorCode; outcome: Outcome } {
  if (/NotCapable|Requires .* access|permission denied|EACCES/i.test(text)) {
    return { code: "permission_denied", outcome: "not sent" };
  }
  const notSent =
    /client error \(Connect\)|connection closed|connection was not ready|Bad resource ID|ENOENT|ECONNREFUSED/
      .test(text) ||
    /not a result of an error|refused stream before processing/.test(text) ||
    /frame with invalid size|bytes remaining on stream|Protocol error|tcp connect error|dns error/.test(text);
  return { code: "unavailable", outcome: notSent ? "not sent" : "unknown" };
}

function reasonFor(text: string): string {
  if (/frame with invalid size|bytes remaining on stream|Protocol error/.test(text)) {
    return "not a containerd socket: it does not speak HTTP/2";
  }
  if (/ENOENT|\(os error 2\)/.test(text)) return "no containerd socket there";
  if (/ECONNREFUSED|\(os error 111\)/.test(text)) return "connection refused: nothing listens on the socket";
  if (/EACCES|\(os error 13\)/.test(text)) return "permission denied on the socket";
  return `connection lost: ${text}`;
}

function causeText(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if (cause.cause instanceof Error) return cause.cause.message;
  return cause.name === "Error" || cause.name === "TypeError"
    ? cause.message
    : `${cause.name}: ${cause.message}`;
}

/** Server texts repeat names as they came; a terminal must never interpret them. */
function withoutControls(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(
    /[\x00-\x1f\x7f-\x9f]/g,
    (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}
