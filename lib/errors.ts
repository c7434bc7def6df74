import { quoted } from "./oci/quoted.ts";

/** What containerd, or the way to it, said about a failed call: the gRPC status names in snake_case. */
export type ErrorCode =
  | "cancelled"
  | "unknown"
  | "invalid_argument"
  | "deadline_exceeded"
  | "not_found"
  | "already_exists"
  | "permission_denied"
  | "resource_exhausted"
  | "failed_precondition"
  | "aborted"
  | "out_of_range"
  | "unimplemented"
  | "internal"
  | "unavailable"
  | "data_loss"
  | "unauthenticated";

/**
 * What is known about the effect of a failed call.
 *
 * - `"not sent"`: the request never reached containerd, or containerd promised not to have looked at it.
 * - `"refused"`: containerd answered why it did not do it.
 * - `"no effect"`: the answer was lost, of a call that changes nothing.
 * - `"unknown"`: the answer was lost or says too little; the change may have been made, in part, or still be.
 */
export type Outcome = "not sent" | "refused" | "no effect" | "unknown";

/** Everything a {@linkcode ContainerdError} knows; plain data, so that it crosses a message port. */
export interface ErrorDetails {
  /** The kind of failure. */
  code: ErrorCode;
  /** The cause in words, as containerd or the system put it; control characters are escaped. */
  reason: string;
  /** Whether something may have changed. */
  outcome: Outcome;
  /** What was being done: `delete`, `list images`. */
  action: string;
  /** What it was done to, with its kind: `image "x"`. */
  resource?: string | undefined;
  /** The namespace of the call, when the call has one. */
  namespace?: string | undefined;
  /** The full gRPC method: `containerd.services.images.v1.Images/Delete`. */
  method?: string | undefined;
}

/**
 * A call to containerd that failed. Subclasses name the failures that callers tell apart.
 *
 * ```ts
 * import { ContainerdError, type NamespacedClient, NotFoundError } from "davit";
 *
 * async function example({ images }: NamespacedClient) {
 *   try {
 *     await images.delete("example.com/app:1");
 *   } catch (error) {
 *     if (error instanceof NotFoundError) return; // somebody was faster
 *     if (error instanceof ContainerdError && error.outcome === "unknown") console.log("It may be gone");
 *     throw error;
 *   }
 * }
 * ```
 */
export class ContainerdError extends Error implements ErrorDetails {
  /** The name of the class, here and in subclasses. */
  override name = "ContainerdError";
  readonly code: ErrorCode;
  readonly reason: string;
  readonly outcome: Outcome;
  readonly action: string;
  readonly resource: string | undefined;
  readonly namespace: string | undefined;
  readonly method: string | undefined;

  /** {@linkcode containerdError} chooses the class. */
  constructor(details: ErrorDetails, options?: ErrorOptions) {
    super(messageOf(details), options);
    this.code = details.code;
    this.reason = details.reason;
    this.outcome = details.outcome;
    this.action = details.action;
    this.resource = details.resource;
    this.namespace = details.namespace;
    this.method = details.method;
  }

  /** The data to make the same error again elsewhere with {@linkcode containerdError}. */
  get details(): ErrorDetails {
    const { code, reason, outcome, action, resource, namespace, method } = this;
    return { code, reason, outcome, action, resource, namespace, method };
  }
}

/** The request itself is wrong: a bad name, digest, filter or label. */
export class InvalidArgumentError extends ContainerdError {
  /** The name of the class. */
  override name = "InvalidArgumentError";
}

/** The thing asked for is not there. */
export class NotFoundError extends ContainerdError {
  /** The name of the class. */
  override name = "NotFoundError";
}

/** The thing to create is there already. */
export class AlreadyExistsError extends ContainerdError {
  /** The name of the class. */
  override name = "AlreadyExistsError";
}

/** The state of the daemon does not allow it: not empty, still running, changed meanwhile. */
export class FailedPreconditionError extends ContainerdError {
  /** The name of the class. */
  override name = "FailedPreconditionError";
}

/** The caller may not do it: no rights on the socket, or a policy of the host. */
export class PermissionDeniedError extends ContainerdError {
  /** The name of the class. */
  override name = "PermissionDeniedError";
}

/** Nothing answers at the address, or the connection was lost and nothing was changed. */
export class UnavailableError extends ContainerdError {
  /** The name of the class. */
  override name = "UnavailableError";
}

/** The time for the call ran out. If it was to change something, it may have done so. */
export class DeadlineExceededError extends ContainerdError {
  /** The name of the class. */
  override name = "DeadlineExceededError";
}

/** This containerd lacks the service or method. */
export class UnimplementedError extends ContainerdError {
  /** The name of the class. */
  override name = "UnimplementedError";
}

/** The connection was lost after a call that changes something was sent: read the state to learn what happened. */
export class OutcomeUnknownError extends ContainerdError {
  /** The name of the class. */
  override name = "OutcomeUnknownError";
}

/** The error class for `details`; the only place that chooses one. */
export function containerdError(details: ErrorDetails, options?: ErrorOptions): ContainerdError {
  if (details.code === "unavailable" && details.outcome === "unknown") {
    return new OutcomeUnknownError(details, options);
  }
  switch (details.code) {
    case "invalid_argument":
      return new InvalidArgumentError(details, options);
    case "not_found":
      return new NotFoundError(details, options);
    case "already_exists":
      return new AlreadyExistsError(details, options);
    case "failed_precondition":
      return new FailedPreconditionError(details, options);
    case "permission_denied":
    case "unauthenticated":
      return new PermissionDeniedError(details, options);
    case "unavailable":
      return new UnavailableError(details, options);
    case "deadline_exceeded":
      return new DeadlineExceededError(details, options);
    case "unimplemented":
      return new UnimplementedError(details, options);
    default:
      return new ContainerdError(details, options);
  }
}

function messageOf({ action, resource, namespace, reason, code, outcome }: ErrorDetails): string {
  const what = resource === undefined ? action : `${action} ${resource}`;
  const where = namespace === undefined ? "" : ` in namespace ${quoted(namespace)}`;
  const cause = code === "unavailable" && outcome === "unknown" ? `outcome unknown: ${reason}` : reason;
  return `Cannot ${what}${where}: ${cause}`;
}
