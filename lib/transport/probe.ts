import { type ContainerdError, containerdError, type ErrorCode } from "../errors.ts";
import { quoted } from "../oci/quoted.ts";
import { Clock } from "./clock.ts";
import { Connection } from "./http2/connection.ts";
import { ProtocolError } from "./http2/http2_error.ts";

export interface ProbeOptions {
  /** The path of a unix socket. */
  path: string;
  /** The longest wait for a sign of life, in milliseconds. Default 2,000. */
  connectTimeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Connects and exchanges greetings of HTTP/2: a daemon that is hung accepts connections like any other.
 *
 * @throws {UnavailableError} when nothing answers, or nothing that speaks HTTP/2.
 * @throws {PermissionDeniedError} when the socket may not be used.
 */
export async function reach(
  { path, connectTimeoutMs = 2_000, signal }: ProbeOptions,
  clock: Clock = new Clock(),
): Promise<Connection> {
  signal?.throwIfAborted();
  const connection = new Connection(await connect(path));
  const ending = Promise.withResolvers<never>();
  const abort = () => ending.reject(signal!.reason);
  const expire = () => ending.reject(unreachable(path, `no sign of life within ${connectTimeoutMs} ms`));
  signal?.addEventListener("abort", abort);
  clock.set(expire, connectTimeoutMs);
  try {
    await Promise.race([greet(connection, path), ending.promise]);
    return connection;
  } catch (error) {
    await connection.close();
    throw error;
  } finally {
    clock.clear(expire);
    signal?.removeEventListener("abort", abort);
  }
}

/** Looks whether {@linkcode reach} would succeed. */
export async function probe(options: ProbeOptions): Promise<void> {
  const connection = await reach(options);
  await connection.close();
}

async function connect(path: string): Promise<Deno.Conn> {
  try {
    return await Deno.connect({ transport: "unix", path });
  } catch (error) {
    const code = isDenial(error) ? "permission_denied" : "unavailable";
    throw unreachable(path, await reasonFor(error, path), { code, cause: error });
  }
}

async function greet(connection: Connection, path: string): Promise<void> {
  try {
    await connection.greeted;
  } catch (cause) {
    const reason = cause instanceof ProtocolError
      ? "not a containerd socket: it does not speak HTTP/2"
      : "it closes the connection at once";
    throw unreachable(path, reason, { cause });
  }
}

function isDenial(error: unknown): boolean {
  return error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable;
}

async function reasonFor(error: unknown, path: string): Promise<string> {
  if (error instanceof Deno.errors.NotFound) return "no such file";
  const file = await Deno.stat(path).catch(() => undefined);
  if (error instanceof Deno.errors.PermissionDenied) return `permission denied${file ? ownership(file) : ""}`;
  if (file?.isDirectory) return "it is a directory, not a socket";
  if (file && !file.isSocket) return "it is a file, not a socket";
  if (error instanceof Deno.errors.ConnectionRefused) return "nothing listens on the socket";
  return error instanceof Error ? error.message : String(error);
}

function ownership({ uid, gid, mode }: Deno.FileInfo): string {
  const octal = ((mode ?? 0) & 0o7777).toString(8).padStart(4, "0");
  return `: the socket belongs to uid ${uid}, gid ${gid}, mode ${octal}`;
}

function unreachable(
  path: string,
  reason: string,
  { code = "unavailable", cause }: { code?: ErrorCode; cause?: unknown } = {},
): ContainerdError {
  const resource = `containerd at ${quoted(path)}`;
  return containerdError({ code, reason, outcome: "not sent", action: "reach", resource }, { cause });
}
