import { FetchTransport } from "./fetch.ts";
import { probe, type ProbeOptions } from "./probe.ts";
import type { Call, Method, Transport } from "./transport.ts";

/** Where containerd is and how to reach it. */
export interface SocketOptions extends ProbeOptions {
  /** `"grpc"` sends everything through grpc-js. Default: unary calls through `fetch`. */
  only?: "grpc" | undefined;
}

/**
 * A transport to the containerd behind a unix socket, after a look whether anything lives there.
 *
 * @throws {UnavailableError} when nothing answers, or nothing that speaks HTTP/2.
 * @throws {PermissionDeniedError} when the socket may not be used.
 */
export async function openSocket(options: SocketOptions): Promise<Transport> {
  await probe(options);
  return new SocketTransport(options);
}

/** Chooses for each call between fetch, which is fast, and grpc-js, which sees a stream's trailers. */
class SocketTransport implements Transport {
  readonly #path: string;
  readonly #fetch: FetchTransport | undefined;
  #loading: Promise<Transport> | undefined;

  constructor({ path, only }: SocketOptions) {
    this.#path = path;
    this.#fetch = only === "grpc" ? undefined : new FetchTransport(path);
  }

  async unary<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    call: Call,
  ): Promise<Response> {
    const transport = this.#fetch ?? await this.#grpc();
    return await transport.unary(method, request, call);
  }

  async *stream<Request, Response>(
    method: Method<Request, Response>,
    requests: readonly Request[] | AsyncIterable<Request>,
    call: Call,
  ): AsyncIterable<Response> {
    const transport = call.verified && this.#fetch ? this.#fetch : await this.#grpc();
    yield* transport.stream(method, requests, call);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#fetch?.[Symbol.asyncDispose]();
    await (await this.#loading)?.[Symbol.asyncDispose]();
  }

  #grpc(): Promise<Transport> {
    this.#loading ??= import("./grpc.ts").then(({ GrpcTransport }) => new GrpcTransport(this.#path));
    return this.#loading;
  }
}
