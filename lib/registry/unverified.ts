/** Requests to servers whose certificate nobody vouches for: Deno's `fetch` does this for a whole process or not at all. */
import { Buffer } from "node:buffer";
import { Agent, request as nodeRequest } from "node:https";
import type { IncomingMessage } from "node:http";
import type { TlsSettings, WireRequest } from "./wire.ts";

/** Sends one request, on a connection of its own. */
export async function sendUnverified(
  { method, url, headers, body, signal }: WireRequest,
  { client }: TlsSettings,
): Promise<Response> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const agent = new Agent({ keepAlive: false });
  const request = nodeRequest(url, {
    agent,
    method,
    headers: Object.fromEntries(headers),
    rejectUnauthorized: false,
    ...client,
  }, resolve);
  const stop = () => request.destroy(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  const done = () => {
    signal.removeEventListener("abort", stop);
    agent.destroy();
  };
  request.on("error", reject);
  request.on("close", done);
  try {
    await write(request, body);
    return responseOf(await promise, method);
  } catch (error) {
    request.destroy();
    done();
    throw signal.aborted ? signal.reason : error;
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

function responseOf(message: IncomingMessage, method: string): Response {
  const status = message.statusCode ?? 0;
  const headers = new Headers();
  for (const [name, value] of Object.entries(message.headers)) {
    for (const one of [value ?? []].flat()) headers.append(name, one);
  }
  const isEmpty = method === "HEAD" || status === 204 || status === 304;
  if (isEmpty) message.resume();
  return new Response(isEmpty ? null : streamOf(message), { status, headers });
}

function streamOf(message: IncomingMessage): ReadableStream<Uint8Array<ArrayBuffer>> {
  const pieces = message[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await pieces.next();
      if (!done) controller.enqueue(new Uint8Array(value));
      else if (message.complete) controller.close();
      else controller.error(new Error("the answer breaks off"));
    },
    async cancel() {
      await pieces.return?.();
      message.destroy();
    },
  }, { highWaterMark: 0 });
}
