/**
 * gRPC over Deno's own HTTP/2 client: the fast path, without `node:http2`.
 *
 * `fetch` does not show trailers. A unary answer needs none: grpc-go sends a failure as headers only, and a success
 * as exactly one message. A stream that fails midway looks complete, so only verified streams may come here.
 */
import { connectionFailure, lostAnswer, notContainerd, statusFailure } from "./failure.ts";
import { Deadline } from "./deadline.ts";
import type { Call, Method, Transport } from "./transport.ts";

/** An address that no route leads to: with a host name, NO_PROXY would make Deno leave the socket for TCP. */
const baseUrl = "http://255.255.255.255/";

const headerBytes = 5;

/** Sends calls over the unix socket at `path`. */
export class FetchTransport implements Transport {
  readonly #http: Deno.HttpClient;
  readonly #closing = new AbortController();
  readonly #pending = new Set<Promise<unknown>>();

  constructor(path: string) {
    this.#http = Deno.createHttpClient({ proxy: { transport: "unix", path }, http1: false, http2: true });
  }

  async unary<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    call: Call,
  ): Promise<Response> {
    const { requestType, responseType } = await method.codec();
    const body = requestType.encode(requestType.fromPartial(request)).finish();
    const messages = await this.#track(this.#exchange(method, body, call));
    if (messages.length !== 1) throw lostAnswer(method, call);
    return responseType.decode(messages[0]!);
  }

  async *stream<Request, Response>(
    method: Method<Request, Response>,
    requests: readonly Request[] | AsyncIterable<Request>,
    call: Call,
  ): AsyncIterable<Response> {
    if (!Array.isArray(requests) || requests.length !== 1 || !call.verified) {
      throw new TypeError(`Cannot stream ${method.name} over fetch: not one request with a verified answer`);
    }
    const { requestType, responseType } = await method.codec();
    const body = requestType.encode(requestType.fromPartial(requests[0])).finish();
    for (const message of await this.#track(this.#exchange(method, body, call))) {
      yield responseType.decode(message);
    }
  }

  /** Ends what is still under way, waits for it, and closes the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new DOMException("The client was closed", "AbortError"));
    await Promise.allSettled(this.#pending);
    this.#http.close();
  }

  async #track<T>(pending: Promise<T>): Promise<T> {
    this.#pending.add(pending);
    try {
      return await pending;
    } finally {
      this.#pending.delete(pending);
    }
  }

  /** One request; the messages of its answer, each of them complete. */
  async #exchange(method: Method, body: Uint8Array, call: Call): Promise<Uint8Array[]> {
    using deadline = new Deadline(method, call);
    const signal = AbortSignal.any([deadline.signal, this.#closing.signal]);
    signal.throwIfAborted();
    let response: Response;
    let answer: Uint8Array;
    try {
      response = await fetch(`${baseUrl}${method.name}`, {
        client: this.#http,
        method: "POST",
        headers: headersOf(call),
        body: oneChunk(framed(body)),
        redirect: "manual",
        signal,
      });
      // The whole body at once: aborting a reader of it is not reliable.
      answer = new Uint8Array(await response.arrayBuffer());
    } catch (error) {
      signal.throwIfAborted();
      throw connectionFailure(method, call, error);
    }
    if (call.meter) {
      call.meter.sentBytes += body.length;
      call.meter.receivedBytes += answer.length;
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
