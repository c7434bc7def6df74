import { containerdError, DeadlineExceededError } from "./errors.ts";
import type { Scope, ScopedCall } from "./scope.ts";
import { Clock } from "./transport/clock.ts";
import { Version } from "./transport/methods.ts";
import type { Method } from "./transport/transport.ts";

/** How often to look whether containerd still answers, and how long it may take to, in milliseconds. */
export interface Vigilance {
  everyMs: number;
  withinMs: number;
}

/**
 * Makes a call of which nobody knows how long it may take, since it writes as many files as there are. It goes on for
 * as long as containerd answers other calls.
 *
 * @throws {DeadlineExceededError} when containerd no longer does, or after the `timeoutMs` of the call.
 */
export async function unary<Request, Response>(
  scope: Scope,
  { method, request }: { method: Method<Request, Response>; request: Request },
  call: ScopedCall,
  { everyMs, withinMs }: Vigilance = { everyMs: 15_000, withinMs: 30_000 },
): Promise<Response> {
  if (call.timeoutMs !== undefined) return await scope.unary(method, request, call);
  const over = new AbortController();
  const silent = new AbortController();
  const clock = new Clock();
  const look = async () => {
    try {
      const options = { action: "look for containerd", timeoutMs: withinMs, signal: over.signal };
      await scope.unary(Version.version, {}, options);
    } catch (error) {
      if (error instanceof DeadlineExceededError) silent.abort(gone(error));
      // Whatever else is wrong with the connection, the call itself learns of it.
    }
    if (!over.signal.aborted && !silent.signal.aborted) clock.set(look, everyMs);
  };
  const gone = (cause: unknown) =>
    containerdError({
      ...call,
      code: "deadline_exceeded",
      reason: "containerd no longer answers",
      outcome: "unknown",
      namespace: scope.namespace,
      method: method.name,
    }, { cause });
  clock.set(look, everyMs);
  try {
    const signal = AbortSignal.any([silent.signal, ...(call.signal ? [call.signal] : [])]);
    return await scope.unary(method, request, { ...call, signal });
  } finally {
    over.abort();
    clock.clear(look);
  }
}
