/** Requests to servers whose certificate nobody vouches for: Deno's `fetch` does this for a whole process or not at all. */
import { Buffer } from "node:buffer";
import { type IncomingMessage, request as nodeRequest } from "node:http";
import { isIP } from "node:net";
import { Duplex } from "node:stream";
import { connect } from "node:tls";
import type { TlsSettings, WireRequest } from "./wire.ts";

/** What one read of a connection may bring. */
const readBytes = 64 * 1024;

/** Sends one request, on a connection of its own. */
export async function sendUnverified(
  { method, url, headers, body, signal }: WireRequest,
  { client }: TlsSettings,
): Promise<Response> {
  signal.throwIfAborted();
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const line = new Line(await Deno.connect({ hostname: host, port: Number(url.port || 443), signal }));
  const socket = connect({
    socket: line.stream,
    servername: isIP(host) ? "" : host,
    rejectUnauthorized: false,
    ...client,
  });
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = nodeRequest({
    method,
    host,
    path: `${url.pathname}${url.search}`,
    headers: { host: url.host, ...Object.fromEntries(headers) },
    createConnection: () => socket,
  }, resolve);
  const stop = () => request.destroy(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  const done = () => {
    signal.removeEventListener("abort", stop);
    socket.destroy();
    line.stream.destroy();
  };
  request.on("error", reject);
  request.on("close", done);
  try {
    await write(request, body);
    return responseOf(await promise, { method, line });
  } catch (error) {
    request.destroy();
    done();
    throw signal.aborted ? signal.reason : error;
  }
}

/** A connection that is read only while somebody waits for what comes: of what it reads, node:tls keeps all. */
class Line {
  readonly stream: Duplex;
  readonly #connection: Deno.Conn;
  #isWanted = true;
  #wake = () => {};

  constructor(connection: Deno.Conn) {
    this.#connection = connection;
    this.stream = new Duplex({
      read: () => void this.#read(),
      write: (bytes, _encoding, done) => void this.#write(bytes).then(() => done(), done),
      destroy: (error, done) => {
        connection.close();
        done(error);
      },
    });
  }

  set isWanted(isWanted: boolean) {
    this.#isWanted = isWanted;
    if (isWanted) this.#wake();
  }

  async #read(): Promise<void> {
    while (!this.#isWanted) await new Promise<void>((resolve) => this.#wake = resolve);
    if (this.stream.destroyed) return;
    const bytes = new Uint8Array(readBytes);
    try {
      const length = await this.#connection.read(bytes);
      this.stream.push(length === null ? null : bytes.subarray(0, length));
    } catch (error) {
      this.stream.destroy(error as Error);
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#connection.write(bytes.subarray(at));
  }
}

async function write(
  request: ReturnType<typeof nodeRequest>,
  body: WireRequest["body"],
): Promise<void> {
  if (body instanceof Uint8Array) {
    request.setHeader("content-length", body.length);
    request.write(body);
  } else if (body !== undefined) {
    for await (const piece of body) {
      await new Promise<void>((taken, failed) =>
        request.write(Buffer.from(piece), (error) => error ? failed(error) : taken())
      );
    }
  } else if (request.method !== "GET" && request.method !== "HEAD") {
    request.setHeader("content-length", 0);
  }
  request.end();
}

function responseOf(message: IncomingMessage, { method, line }: { method: string; line: Line }): Response {
  const status = message.statusCode ?? 0;
  const headers = new Headers();
  for (const [name, value] of Object.entries(message.headers)) {
    for (const one of [value ?? []].flat()) headers.append(name, one);
  }
  const isEmpty = method === "HEAD" || status === 204 || status === 304;
  if (isEmpty) message.resume();
  return new Response(isEmpty ? null : streamOf(message, line), { status, headers });
}

function streamOf(message: IncomingMessage, line: Line): ReadableStream<Uint8Array<ArrayBuffer>> {
  const pieces: AsyncIterator<Uint8Array> = message[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array();
  line.isWanted = false;
  return new ReadableStream({
    type: "bytes",
    autoAllocateChunkSize: readBytes,
    async pull(controller) {
      const request = controller.byobRequest!; // there always is one, of a size that is allocated if need be
      if (rest.length === 0) {
        line.isWanted = true;
        const { done, value } = await pieces.next();
        line.isWanted = false;
        if (done && !message.complete) return controller.error(new Error("the answer breaks off"));
        if (done) controller.close();
        else rest = value;
      }
      const { buffer, byteOffset, byteLength } = request.view!;
      const taken = rest.subarray(0, byteLength);
      new Uint8Array(buffer, byteOffset).set(taken);
      rest = rest.subarray(taken.length);
      request.respond(taken.length);
    },
    async cancel() {
      await pieces.return?.();
      message.destroy();
    },
  });
}
