/**
 * gRPC over Deno's own HTTP/2 client: the fast path, without `node:http2`.
 *
 * `fetch` does not show trailers. A unary answer needs none: grpc-go sends a failure as headers only, and a success
 * as exactly one message. A stream that fails midway looks complete, so only verified streams may come here.
 */
import { Limiter } from "../concurrency.ts";
import { Clock } from "./clock.ts";
import { Deadline } from "./deadline.ts";
import { connectionFailure, lostAnswer, malformedAnswer, notContainerd, statusFailure } from "./failure.ts";
import type { Call, Method, Transport } from "./transport.ts";

/** An address that no route leads to: with a host name, NO_PROXY would make Deno leave the socket for TCP. */
const baseUrl = "http://255.255.255.255/";

/** Each takes some 0.2 MB, and more at once are not served faster. */
const callsAtOnce = 64;

const headerBytes = 5;

/** Sends calls over the unix socket at `path`. */
export class FetchTransport implements Transport {
  readonly #http: Deno.HttpClient;
  readonly #closing = new AbortController();
  readonly #clock = new Clock();
  readonly #limiter = new Limiter(callsAtOnce);
  readonly #pending = new Set<Promise<unknown>>();

  constructor(path: string) {
    this.#http = Deno.createHttpClient({ proxy: { transport: "unix", path }, http1: false, http2: true });
  }

  async unary<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    call: Call,
  ): Promise<Response> {
    const responses = await this.#exchange(method, request, call);
    if (responses.length !== 1) throw lostAnswer(method, call);
    return responses[0]!;
  }

  async *stream<Request, Response>(
    method: Method<Request, Response>,
    requests: readonly Request[] | AsyncIterable<Request>,
    call: Call,
  ): AsyncIterable<Response> {
    if (!Array.isArray(requests) || requests.length !== 1 || !call.verified) {
      throw new TypeError(`Cannot stream ${method.name} over fetch: not one request with a verified answer`);
    }
    yield* await this.#exchange(method, requests[0], call);
  }

  /** Ends what is still under way, waits for it, and closes the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new DOMException("The client was closed", "AbortError"));
    await Promise.allSettled(this.#pending);
    this.#http.close();
  }

  /** One request, and its whole answer. */
  async #exchange<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    call: Call,
  ): Promise<Response[]> {
    const { requestType, responseType } = await method.codec();
    const body = requestType.encode(requestType.fromPartial(request)).finish();
    using deadline = new Deadline(method, call, { closing: this.#closing.signal, clock: this.#clock });
    deadline.signal.throwIfAborted();
    const send = () => this.#send(method, body, { ...call, signal: deadline.signal });
    // A call that waits for an event must not keep others from being sent.
    const waits = method.deadlineMs === undefined;
    const messages = await this.#track(waits ? send() : this.#limiter.run(send, deadline.signal));
    try {
      return messages.map((message) => responseType.decode(message));
    } catch (error) {
      throw malformedAnswer(method, call, error);
    }
  }

  async #track<T>(pending: Promise<T>): Promise<T> {
    this.#pending.add(pending);
    try {
      return await pending;
    } finally {
      this.#pending.delete(pending);
    }
  }

  async #send(method: Method, body: Uint8Array, call: Call & { signal: AbortSignal }): Promise<Uint8Array[]> {
    if (call.meter) call.meter.sentBytes += body.length;
    let response: Response;
    let answer: Uint8Array;
    try {
      response = await fetch(`${baseUrl}${method.name}`, {
        client: this.#http,
        method: "POST",
        headers: headersOf(call),
        body: oneChunk(framed(body)),
        redirect: "manual",
        signal: call.signal,
      });
      // The whole body at once: aborting a reader of it is not reliable.
      answer = await response.bytes();
    } catch (error) {
      call.signal.throwIfAborted();
      throw connectionFailure(method, call, error);
    }
    const status = response.headers.get("grpc-status");
    if (status !== null && status !== "0") {
      const message = decodeMessage(response.headers.get("grpc-message") ?? "");
      throw statusFailure(method, call, { code: Number(status), message });
    }
    if (response.status !== 200 || !response.headers.get("content-type")?.startsWith("application/grpc")) {
      throw notContainerd(method, call, `it answers HTTP ${response.status}`);
    }
    const messages = unframed(answer);
    if (messages === undefined) throw lostAnswer(method, call);
    if (call.meter) call.meter.receivedBytes += messages.reduce((sum, { length }) => sum + length, 0);
    return messages;
  }
}

function headersOf({ namespace, lease }: Call): Record<string, string> {
  return {
    "content-type": "application/grpc",
    "te": "trailers",
    "containerd-namespace": namespace,
    ...(lease === undefined ? {} : { "containerd-lease": lease }),
  };
}

/** A stream, never bytes: a request body of bytes is sent a second time, silently, after a connection reset. */
function oneChunk(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
}

/** A message with gRPC's prefix: no compression, then its length, big endian. */
function framed(message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(headerBytes + message.length);
  new DataView(frame.buffer).setUint32(1, message.length);
  frame.set(message, headerBytes);
  return frame;
}

/** The messages of a body, or `undefined` when it breaks off or is compressed. */
function unframed(body: Uint8Array): Uint8Array[] | undefined {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const messages: Uint8Array[] = [];
  for (let at = 0; at < body.length;) {
    if (body.length - at < headerBytes || view.getUint8(at) !== 0) return undefined;
    const end = at + headerBytes + view.getUint32(at + 1);
    if (end > body.length) return undefined;
    messages.push(body.subarray(at + headerBytes, end));
    at = end;
  }
  return messages;
}

function decodeMessage(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded; // older servers send texts that are not percent-encoded throughout
  }
}
