/** What the proxy saw of a request. */
export interface SeenRequest {
  method: string;
  /** With the query. */
  path: string;
  headers: Headers;
  /** For a fault that does not forward. */
  body: ReadableStream<Uint8Array> | null;
}

/** Answers in place of the server, or `undefined` to leave that to it. `forward` asks the server. */
export type Fault = (
  request: SeenRequest,
  forward: () => Promise<Response>,
) => Response | undefined | Promise<Response | undefined>;

/** An HTTP server that passes requests on to another one, unless its fault does something else with them. */
export class HttpProxy implements AsyncDisposable {
  readonly requests: SeenRequest[] = [];
  fault: Fault = () => undefined;
  readonly #client = Deno.createHttpClient({ allowHost: true, http2: false });
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #upstream: string;
  readonly #closing = new AbortController();

  private constructor(upstream: string, tls: { cert: string; key: string } | undefined) {
    this.#upstream = upstream;
    const options = { hostname: "127.0.0.1", port: 0, onListen() {}, onError };
    this.#server = Deno.serve({ ...options, ...tls }, (request) => this.#handle(request));
  }

  /** Starts a proxy to the server at `upstream`, a URL, on a free port; with `tls` (texts, not paths) over https. */
  static start(upstream: string, tls?: { cert: string; key: string }): HttpProxy {
    return new HttpProxy(upstream, tls);
  }

  /** As in references: `127.0.0.1:40123`. */
  get host(): string {
    return `127.0.0.1:${this.#server.addr.port}`;
  }

  /** Requests whose method and path match: `GET /v2/app/blobs/`. */
  seen(pattern: RegExp): SeenRequest[] {
    return this.requests.filter(({ method, path }) => pattern.test(`${method} ${path}`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
    this.#closing.abort(); // of what nobody has waited for
    this.#client.close();
  }

  async #handle(request: Request): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    const { method } = request;
    const headers = new Headers(request.headers);
    const seen = { method, path: pathname + search, headers, body: request.body };
    this.requests.push(seen);
    const forward = async () => {
      const { body, status, headers: answered } = await fetch(this.#upstream + seen.path, {
        method,
        headers,
        body: request.body,
        redirect: "manual",
        client: this.#client,
        signal: this.#closing.signal,
      });
      return new Response(body, { status, headers: answered });
    };
    const answer = await this.fault(seen, forward);
    return answer ?? await forward();
  }
}

/** The answer, of whose body only so many bytes come before the connection is lost. */
export function truncated(answer: Response, bytes: number): Response {
  return withEnding(answer, bytes, (controller) => controller.error(new Error("cut off")));
}

/** The answer, of whose body only so many bytes come, and then nothing. */
export function stalled(answer: Response, bytes: number): Response {
  return withEnding(answer, bytes, () => {});
}

function withEnding(
  answer: Response,
  bytes: number,
  end: (controller: ReadableStreamDefaultController<Uint8Array>) => void,
): Response {
  const reader = answer.body!.getReader();
  let left = bytes;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (left === 0) {
        await reader.cancel();
        return end(controller);
      }
      const { value = new Uint8Array(0) } = await reader.read();
      controller.enqueue(value.subarray(0, left));
      left -= Math.min(left, value.length);
    },
    cancel: () => reader.cancel(),
  }, { highWaterMark: 0 });
  return new Response(body, { status: answer.status, headers: answer.headers });
}

/** A server that went away is no news for a proxy. */
function onError(): Response {
  return new Response(null, { status: 502 });
}
