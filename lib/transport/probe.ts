import { type ContainerdError, containerdError, type ErrorCode } from "../errors.ts";
import { quoted } from "../oci/quoted.ts";
import { Clock } from "./clock.ts";

export interface ProbeOptions {
  /** The path of a unix socket. */
  path: string;
  /** The longest wait for a sign of life, in milliseconds. Default 2,000. */
  connectTimeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** What a client of HTTP/2 says first: the preface and an empty SETTINGS frame (RFC 9113, section 3.4). */
const greeting = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");

/** The type of the frame with which a server answers. */
const settings = 4;

/**
 * Connects, exchanges greetings and hangs up. The HTTP/2 clients do not tell causes apart as cleanly, and a daemon
 * that is hung accepts connections like any other.
 */
export async function probe({ path, connectTimeoutMs = 2_000, signal }: ProbeOptions): Promise<void> {
  signal?.throwIfAborted();
  const connection = await connect(path);
  const ending = Promise.withResolvers<never>();
  const abort = () => ending.reject(signal!.reason);
  const expire = () => ending.reject(unreachable(path, `no sign of life within ${connectTimeoutMs} ms`));
  signal?.addEventListener("abort", abort);
  const clock = new Clock();
  clock.set(expire, connectTimeoutMs);
  try {
    await Promise.race([greet(connection, path), ending.promise]);
  } finally {
    clock.clear(expire);
    signal?.removeEventListener("abort", abort);
    connection.close();
  }
}

async function connect(path: string): Promise<Deno.Conn> {
  try {
    return await Deno.connect({ transport: "unix", path });
  } catch (error) {
    const code = isDenial(error) ? "permission_denied" : "unavailable";
    throw unreachable(path, await reasonFor(error, path), { code, cause: error });
  }
}

async function greet(connection: Deno.Conn, path: string): Promise<void> {
  const answer = new Uint8Array(9);
  try {
    await connection.write(greeting);
    if (await connection.read(answer) === null) throw new Deno.errors.UnexpectedEof();
  } catch (cause) {
    throw unreachable(path, "it closes the connection at once", { cause });
  }
  if (answer[3] !== settings) throw unreachable(path, "not a containerd socket: it does not speak HTTP/2");
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
