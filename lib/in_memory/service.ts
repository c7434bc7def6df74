import { codes, statusFailure } from "../transport/failure.ts";
import type { Call, Method } from "../transport/transport.ts";
import { Refusal } from "./refusal.ts";

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
export async function first<Request>(
  requests: AsyncIterable<Request> | readonly Request[],
): Promise<Request> {
  for await (const request of requests) return request;
  throw new TypeError("Cannot answer a stream of no request");
}

/** Requests become messages with all their fields, which nobody else can change. */
export async function copier(method: Method): Promise<(request: unknown) => unknown> {
  const { requestType } = await method.codec();
  return (request) => requestType.decode(requestType.encode(requestType.fromPartial(request)).finish());
}

/** The error that a client gets for what a handler threw. */
export function explained(error: unknown, method: Method, call: Call): unknown {
  if (!(error instanceof Refusal)) return error;
  return statusFailure(method, call, { code: codes.lastIndexOf(error.code), message: error.message });
}
