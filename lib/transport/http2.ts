/** gRPC over a small HTTP/2 client of our own: Deno's `fetch` and `node:http2` take longer to load than a call takes. */
import { Limiter } from "../concurrency.ts";
import { ContainerdError } from "../errors.ts";
import { Clock } from "./clock.ts";
import { Deadline } from "./deadline.ts";
import {
  connectionFailure,
  failure,
  lostAnswer,
  malformedAnswer,
  notContainerd,
  statusFailure,
} from "./failure.ts";
import type { Connection } from "./http2/connection.ts";
import type { Header } from "./http2/hpack.ts";
import { Http2Error } from "./http2/http2_error.ts";
import { lengthOf, maxMessageBytes, MessageError } from "./http2/messages.ts";
import type { Stream } from "./http2/stream.ts";
import { type ProbeOptions, reach } from "./probe.ts";
import type { Call, Method, MethodCodec, Transport } from "./transport.ts";

/** More at once are not served faster. */
const callsAtOnce = 64;

/** The status of a message that is larger than allowed. */
const resourceExhausted = 8;

/** Sends calls over the unix socket at `path`, on one connection as long as it lasts. */
export class Http2Transport implements Transport {
  readonly #options: ProbeOptions;
  readonly #closing = new AbortController();
  readonly #clock = new Clock();
  readonly #limiter = new Limiter(callsAtOnce);
  /** The one in use, and earlier ones that still carry calls. */
  readonly #connections = new Set<Connection>();
  #connection: Connection | undefined;
  #connecting: Promise<Connection> | undefined;

  constructor({ path, connectTimeoutMs }: Omit<ProbeOptions, "signal">) {
    this.#options = { path, connectTimeoutMs };
  }

  /** A transport that is connected, see {@linkcode reach}. */
  static async open({ signal, ...options }: ProbeOptions): Promise<Http2Transport> {
    const transport = new Http2Transport(options);
    await transport.#open(signal);
    return transport;
  }

  async unary<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    call: Call,
  ): Promise<Response> {
    const codec = await method.codec();
    using deadline = new Deadline(method, call, { closing: this.#closing.signal, clock: this.#clock });
    deadline.signal.throwIfAborted();
    const exchange = async () => {
      using exchange = await this.#begin(method, { call, codec, signal: deadline.signal });
      exchange.send(exchange.encoded(request), { isLast: true });
      const answer = await exchange.next();
      if (answer === undefined || await exchange.next() !== undefined) throw lostAnswer(method, call);
      return answer;
    };
    // A call that waits for an event must not keep others from being sent.
    const waits = method.deadlineMs === undefined;
    return await (waits ? exchange() : this.#limiter.run(exchange, deadline.signal));
  }

  async *stream<Request, Response>(
    method: Method<Request, Response>,
    requests: readonly Request[] | AsyncIterable<Request>,
    call: Call,
  ): AsyncIterable<Response> {
    const codec = await method.codec();
    using deadline = new Deadline(method, call, { closing: this.#closing.signal, clock: this.#clock });
    deadline.signal.throwIfAborted();
    using exchange = await this.#begin(method, { call, codec, signal: deadline.signal });
    exchange.sendAll(requests).catch((error) => exchange.cancel(error));
    for (;;) {
      const answer = await exchange.next();
      if (answer === undefined) return;
      deadline.pause(); // the reader may take its time
      yield answer;
      deadline.restart();
    }
  }

  /** Ends what is still under way and closes the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    const reason = new DOMException("The client was closed", "AbortError");
    this.#closing.abort(reason);
    await this.#connecting?.catch(() => {});
    await Promise.all([...this.#connections].map((connection) => connection.close(reason)));
  }

  async #begin<Request, Response>(
    method: Method<Request, Response>,
    { call, codec, signal }: ExchangeOptions<Request, Response>,
  ): Promise<Exchange<Request, Response>> {
    const headers = headersOf(method, call);
    let connection = this.#connection;
    if (!connection?.isOpen) {
      this.#connecting ??= this.#open(this.#closing.signal).finally(() => this.#connecting = undefined);
      try {
        connection = await unlessAborted(this.#connecting, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof ContainerdError)) throw error;
        const { code, reason, outcome } = error;
        throw failure(method, call, { code, reason, outcome, cause: error });
      }
    }
    return new Exchange(connection.open(headers), method, { call, codec, signal });
  }

  async #open(signal: AbortSignal | undefined): Promise<Connection> {
    const connection = await reach({ ...this.#options, signal }, this.#clock);
    connection.rest();
    this.#connection = connection;
    this.#connections.add(connection);
    connection.closed.then(() => this.#connections.delete(connection));
    return connection;
  }
}

interface ExchangeOptions<Request, Response> {
  call: Call;
  codec: MethodCodec<Request, Response>;
  /** Ends the call. */
  signal: AbortSignal;
}

/** One call: its requests, and its answers up to the status that ends them. */
class Exchange<Request, Response> implements Disposable {
  readonly #stream: Stream;
  readonly #method: Method<Request, Response>;
  readonly #call: Call;
  readonly #codec: MethodCodec<Request, Response>;

  constructor(
    stream: Stream,
    method: Method<Request, Response>,
    { call, codec, signal }: ExchangeOptions<Request, Response>,
  ) {
    this.#stream = stream;
    this.#method = method;
    this.#call = call;
    this.#codec = codec;
    signal.addEventListener("abort", () => stream.cancel(signal.reason));
  }

  /** A request in the parts that its message consists of. */
  encoded(request: Request): readonly Uint8Array[] {
    const { requestType } = this.#codec;
    const encoded = requestType.encode(requestType.fromPartial(request));
    const message = encoded.parts?.() ?? [encoded.finish()];
    if (lengthOf(message) <= maxMessageBytes) return message;
    throw statusFailure(this.#method, this.#call, {
      code: resourceExhausted,
      message: `Attempted to send message with a size larger than ${maxMessageBytes}`,
    });
  }

  /** Resolves when the next request is welcome, to whether there is any use in it; never rejects. */
  async send(message: readonly Uint8Array[], options?: { isLast: boolean }): Promise<boolean> {
    const { meter } = this.#call;
    if (meter) meter.sentBytes += lengthOf(message);
    return await this.#stream.send(message, options);
  }

  /** Sends requests as fast as the other side takes them, until the call ends. */
  async sendAll(requests: readonly Request[] | AsyncIterable<Request>): Promise<void> {
    if (Array.isArray(requests) && requests.length === 1) {
      await this.send(this.encoded(requests[0]), { isLast: true });
      return;
    }
    for await (const request of requests) {
      if (!await this.send(this.encoded(request))) return;
    }
    this.#stream.endRequests();
  }

  /** The next answer, or `undefined` after the last one of a call that succeeded. */
  async next(): Promise<Response | undefined> {
    let message: Uint8Array | undefined;
    try {
      message = await this.#stream.next();
    } catch (error) {
      throw this.#failure(error);
    }
    if (message === undefined) {
      this.#checkStatus();
      return undefined;
    }
    this.#checkHeaders();
    const { meter } = this.#call;
    if (meter) meter.receivedBytes += message.length;
    try {
      return this.#codec.responseType.decode(message);
    } catch (error) {
      throw malformedAnswer(this.#method, this.#call, error);
    }
  }

  cancel(reason?: unknown): void {
    this.#stream.cancel(reason);
  }

  [Symbol.dispose](): void {
    this.#stream.cancel();
  }

  #failure(error: unknown): unknown {
    if (error instanceof Http2Error) return connectionFailure(this.#method, this.#call, error);
    if (!(error instanceof MessageError)) return error;
    this.#checkHeaders();
    return error.isTooLarge
      ? statusFailure(this.#method, this.#call, { code: resourceExhausted, message: error.message })
      : malformedAnswer(this.#method, this.#call, error);
  }

  #checkHeaders(): void {
    const status = this.#stream.headers?.get(":status");
    const isGrpc = this.#stream.headers?.get("content-type")?.startsWith("application/grpc");
    if (status === "200" && isGrpc) return;
    throw notContainerd(this.#method, this.#call, `it answers HTTP ${status}`);
  }

  #checkStatus(): void {
    const status = this.#stream.trailers?.get("grpc-status");
    if (status !== undefined && status !== "0") {
      const message = decodeMessage(this.#stream.trailers?.get("grpc-message") ?? "");
      throw statusFailure(this.#method, this.#call, { code: Number(status), message });
    }
    this.#checkHeaders();
    if (status === undefined || this.#stream.breaksOff) throw lostAnswer(this.#method, this.#call);
  }
}

/** What no header may hold: a server would not even say which of them it was. */
// deno-lint-ignore no-control-regex -- they are what it is about
const controls = /[\0-\x08\n-\x1f\x7f]/;

function headersOf(method: Method, call: Call): Header[] {
  const headers: Header[] = [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", `/${method.name}`],
    [":authority", "localhost"],
    ["content-type", "application/grpc"],
    ["te", "trailers"],
    ["containerd-namespace", call.namespace],
  ];
  if (call.lease !== undefined) headers.push(["containerd-lease", call.lease]);
  const wrong = headers.find(([, value]) => controls.test(value));
  if (wrong) {
    const reason = `${wrong[0]} with control characters`;
    throw failure(method, call, { code: "invalid_argument", reason, outcome: "not sent" });
  }
  return headers;
}

/** What `promise` resolves to, unless the signal aborts before. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort);
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function decodeMessage(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded; // older servers send texts that are not percent-encoded throughout
  }
}
