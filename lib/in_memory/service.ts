import type { Call, Method } from "../transport/transport.ts";

/** Answers the calls of one method. What it throws is a status; what it returns is copied before anyone sees it. */
export interface Handler {
  readonly method: Method;
  /** Of a unary method. */
  unary?(request: unknown, call: Call): unknown;
  /** Of a stream, whose last answer it returns if that is the one that says that the work is done. */
  stream?(requests: AsyncIterable<unknown>, call: Call): AsyncGenerator<unknown, unknown>;
}

/** The handler of a unary method: `Full` is the request with all its fields. */
export function unary<Request, Full extends Request, Response>(
  method: Method<Request, Response>,
  handle: (request: Full, call: Call) => Response,
): Handler {
  return { method, unary: (request, call) => handle(request as Full, call) };
}

/** The handler of a stream. */
export function stream<Request, Full extends Request, Response>(
  method: Method<Request, Response>,
  handle: (requests: AsyncIterable<Full>, call: Call) => AsyncGenerator<Response, Response | void>,
): Handler {
  return { method, stream: (requests, call) => handle(requests as AsyncIterable<Full>, call) };
}

/** The first request of a stream that has one. */
export async function first<Request>(requests: AsyncIterable<Request>): Promise<Request> {
  for await (const request of requests) return request;
  throw new TypeError("Cannot answer a stream of no request");
}
