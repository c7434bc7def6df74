/** Sockets behind which there is no containerd. */
import { createServer as createHttp1Server } from "node:http";
import {
  createServer as createHttp2Server,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import { once } from "node:events";
import type { Server } from "node:net";

/** Gives `body` a folder for sockets. */
export async function inFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir();
  try {
    return await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Accepts connections, does as told with each, and keeps it until the end. */
export function rawServer(
  path: string,
  greet: (connection: Deno.Conn) => void | Promise<void> = () => {},
): AsyncDisposable {
  const listener = Deno.listen({ transport: "unix", path });
  const connections: Deno.Conn[] = [];
  const accepting = (async () => {
    for await (const connection of listener) {
      connections.push(connection);
      await greet(connection);
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      for (const connection of connections) tryToClose(connection);
    },
  };
}

/** A socket at `path` that nobody listens on, as a killed daemon leaves it. */
export async function staleSocket(path: string): Promise<void> {
  const listener = Deno.listen({ transport: "unix", path: `${path}~` });
  await Deno.rename(`${path}~`, path); // for closing it would remove the file
  listener.close();
}

/** Answers every request over HTTP/1.1. */
export function http1Server(path: string): Promise<AsyncDisposable> {
  return listening(createHttp1Server((_, response) => response.end("hello")), path);
}

/** Answers every request over HTTP/2 with the same headers and body. */
export function http2Server(
  path: string,
  { headers, body }: { headers: OutgoingHttpHeaders; body?: Uint8Array },
): Promise<AsyncDisposable> {
  const server = createHttp2Server();
  server.on("stream", (stream: ServerHttp2Stream) => {
    stream.on("error", () => {}); // of clients that hang up
    stream.respond(headers, { endStream: body === undefined });
    if (body) stream.end(body);
  });
  return listening(server, path);
}

async function listening(server: Server, path: string): Promise<AsyncDisposable> {
  server.listen(path);
  await once(server, "listening");
  return {
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, "close");
    },
  };
}

function tryToClose(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error; // closed before
  }
}
