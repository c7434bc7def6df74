import { ContainerdError, containerdError, type ErrorCode } from "../errors.ts";
import { FetchTransport } from "./fetch.ts";
import type { Call, CallOptions, Method, Transport } from "./transport.ts";

/** Where containerd is and how to reach it. */
export interface SocketOptions extends CallOptions {
  /** The absolute path of containerd's unix socket. */
  path: string;
  /** The longest wait for the socket to accept, in milliseconds. Default 2,000. */
  connectTimeoutMs?: number | undefined;
  /** `"grpc"` sends everything through grpc-js. Default: unary calls through `fetch`. */
  only?: "grpc" | undefined;
}

/** A transport to the containerd behind a unix socket, after a look whether anything listens there. */
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

/** Connects once and hangs up: this gives clean causes, which the HTTP/2 clients do not. */
async function probe({ path, connectTimeoutMs = 2_000, signal }: SocketOptions): Promise<void> {
  signal?.throwIfAborted();
  const expired = Promise.withResolvers<never>();
  const timer = setTimeout(() => expired.reject(new Deno.errors.TimedOut()), connectTimeoutMs);
  const connecting = Deno.connect({ transport: "unix", path });
  try {
    (await Promise.race([connecting, expired.promise])).close();
  } catch (error) {
    connecting.then((late) => late.close(), () => {});
    throw await unreachable(path, error, connectTimeoutMs);
  } finally {
    clearTimeout(timer);
  }
}

async function unreachable(path: string, error: unknown, connectTimeoutMs: number): Promise<ContainerdError> {
  const { code, reason } = await diagnose(path, error, connectTimeoutMs);
  const resource = `containerd at ${JSON.stringify(path)}`;
  return containerdError({ code, reason, outcome: "not sent", action: "reach", resource }, { cause: error });
}

async function diagnose(
  path: string,
  error: unknown,
  connectTimeoutMs: number,
): Promise<{ code: ErrorCode; reason: string }> {
  if (error instanceof Deno.errors.TimedOut) {
    return { code: "unavailable", reason: `the socket did not accept within ${connectTimeoutMs} ms` };
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return { code: "permission_denied", reason: `permission denied${await owner(path)}` };
  }
  if (error instanceof Deno.errors.NotCapable) return { code: "permission_denied", reason: error.message };
  if (error instanceof Deno.errors.NotFound) return { code: "unavailable", reason: "no such file" };
  const file = await Deno.stat(path).catch(() => undefined);
  if (file?.isDirectory) return { code: "unavailable", reason: "it is a directory, not a socket" };
  if (file && !file.isSocket) return { code: "unavailable", reason: "it is a file, not a socket" };
  if (error instanceof Deno.errors.ConnectionRefused) {
    return { code: "unavailable", reason: "nothing listens on the socket; is containerd running?" };
  }
  return { code: "unavailable", reason: error instanceof Error ? error.message : String(error) };
}

async function owner(path: string): Promise<string> {
  const file = await Deno.stat(path).catch(() => undefined);
  if (file?.mode == null) return "";
  const mode = (file.mode & 0o7777).toString(8).padStart(4, "0");
  return `: the socket belongs to uid ${file.uid}, gid ${file.gid}, mode ${mode}`;
}
