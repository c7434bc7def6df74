/**
 * gRPC through grpc-js, the second opinion on what `http2.ts` does: everything that is tested of the one is tested of
 * the other. Loading it takes some 70 ms, so only `socket.ts` imports this module, and only when it is asked for.
 */
import { Buffer } from "node:buffer";
import {
  Client,
  type ClientDuplexStream,
  connectivityState,
  credentials,
  Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import { Clock } from "./clock.ts";
import { Deadline } from "./deadline.ts";
import { grpcFailure } from "./failure.ts";
import type { Call, Method, Transport } from "./transport.ts";

/** containerd's own limit for a message, in both directions. */
const maxMessageBytes = 16 * 1024 * 1024;

const channelOptions = {
  "grpc.max_receive_message_length": maxMessageBytes,
  "grpc.max_send_message_length": maxMessageBytes,
  "grpc.enable_retries": 0,
  "grpc.use_local_subchannel_pool": 1,
  // Its timer outlives a client that is closed after it failed to connect.
  "grpc.initial_reconnect_backoff_ms": 50,
  // Reads three times as fast as with the default.
  "grpc-node.flow_control_window": 1024 * 1024,
};

/** Sends calls over the unix socket at `path`, an absolute one. */
export class GrpcTransport implements Transport {
  readonly #path: string;
  readonly #closing = new AbortController();
  readonly #clock = new Clock();
  #client: Client;

  constructor(path: string) {
    this.#path = path;
    this.#client = newClient(path);
  }

  async unary<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    call: Call,
  ): Promise<Response> {
    const { requestType, responseType } = await method.codec();
    using deadline = new Deadline(method, call, { closing: this.#closing.signal, clock: this.#clock });
    deadline.signal.throwIfAborted();
    return await new Promise<Response>((resolve, reject) => {
      const pending = this.#connectable().makeUnaryRequest(
        `/${method.name}`,
        (message) => counted("sentBytes", requestType.encode(message).finish(), call),
        (bytes) => responseType.decode(counted("receivedBytes", bytes, call)),
        requestType.fromPartial(request),
        metadataOf(call),
        (error, response) => {
          deadline.signal.removeEventListener("abort", cancel);
          if (error === null) resolve(response!);
          else reject(deadline.signal.aborted ? deadline.signal.reason : grpcFailure(method, call, error));
        },
      );
      const cancel = () => pending.cancel();
      deadline.signal.addEventListener("abort", cancel);
    });
  }

  async *stream<Request, Response>(
    method: Method<Request, Response>,
    requests: readonly Request[] | AsyncIterable<Request>,
    call: Call,
  ): AsyncIterable<Response> {
    const { requestType, responseType } = await method.codec();
    using deadline = new Deadline(method, call, { closing: this.#closing.signal, clock: this.#clock });
    deadline.signal.throwIfAborted();
    const duplex = this.#connectable().makeBidiStreamRequest<unknown, Response>(
      `/${method.name}`,
      (message) => counted("sentBytes", requestType.encode(message).finish(), call),
      (bytes) => responseType.decode(counted("receivedBytes", bytes, call)),
      metadataOf(call),
    );
    const cancel = () => duplex.cancel();
    deadline.signal.addEventListener("abort", cancel);
    const sender = new Sender(duplex);
    let sendingFailed: { error: unknown } | undefined;
    sender.send(completed(requests, requestType)).catch((error) => {
      sendingFailed = { error };
      duplex.cancel();
    });
    try {
      for await (const response of duplex as AsyncIterable<Response>) {
        deadline.pause(); // the reader may take its time
        yield response;
        deadline.restart();
      }
    } catch (error) {
      if (deadline.signal.aborted) throw deadline.signal.reason;
      if (sendingFailed) throw sendingFailed.error;
      throw grpcFailure(method, call, error as ServiceError);
    } finally {
      deadline.signal.removeEventListener("abort", cancel);
      duplex.on("error", () => {}); // the cancellation of what nobody reads any more
      duplex.cancel();
      sender.stop();
    }
  }

  /** Ends what is still under way and closes the connection. */
  // deno-lint-ignore require-await -- closing is synchronous here, the interface is not
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new DOMException("The client was closed", "AbortError"));
    this.#client.close();
  }

  /** A client that tries to connect: one that failed to would answer from memory for a while. */
  #connectable(): Client {
    const state = this.#client.getChannel().getConnectivityState(false);
    if (state === connectivityState.TRANSIENT_FAILURE) {
      this.#client.close();
      this.#client = newClient(this.#path);
    }
    return this.#client;
  }
}

function newClient(path: string): Client {
  return new Client(`unix:${path}`, credentials.createInsecure(), channelOptions);
}

/** Writes requests as fast as the other side takes them. */
class Sender {
  readonly #duplex: ClientDuplexStream<unknown, unknown>;
  #stopped = false;
  #wake = () => {};

  constructor(duplex: ClientDuplexStream<unknown, unknown>) {
    this.#duplex = duplex;
    duplex.on("drain", () => this.#wake());
  }

  async send(requests: AsyncIterable<unknown>): Promise<void> {
    for await (const request of requests) {
      if (!this.#stopped && !this.#duplex.write(request)) await this.#drained();
      if (this.#stopped) return;
    }
    this.#duplex.end();
  }

  /** Asks for no more requests. What has been asked for is not waited for: it may never come. */
  stop(): void {
    this.#stopped = true;
    this.#wake();
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => this.#wake = resolve);
  }
}

async function* completed<Request>(
  requests: readonly Request[] | AsyncIterable<Request>,
  type: { fromPartial(request: Request): unknown },
): AsyncIterable<unknown> {
  for await (const request of requests) yield type.fromPartial(request);
}

function metadataOf({ namespace, lease }: Call): Metadata {
  const metadata = new Metadata();
  metadata.set("containerd-namespace", namespace);
  if (lease !== undefined) metadata.set("containerd-lease", lease);
  return metadata;
}

/** The bytes as a node Buffer, whose `copy` grpc-js calls. */
function counted(direction: "sentBytes" | "receivedBytes", bytes: Uint8Array, { meter }: Call): Buffer {
  if (meter) meter[direction] += bytes.length;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
