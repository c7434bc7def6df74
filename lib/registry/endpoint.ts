import { quoted } from "../oci/quoted.ts";
import { Answer } from "./answer.ts";
import { Authorizer, type Scope, type Surroundings } from "./auth.ts";
import { answerFailure, connectionTrouble, refusal, type Task } from "./failure.ts";
import type { RegistryHost } from "./host.ts";
import { Patience, Stalled } from "./patience.ts";
import { ConnectionError, Wire } from "./wire.ts";

/** One request to the API of a registry. */
export interface EndpointRequest {
  method: "GET" | "HEAD" | "POST" | "PATCH" | "PUT" | "DELETE";
  /** Below the root of the API, with its query: `library/busybox/tags/list`. A URL where the registry named one. */
  target: string | URL;
  scope: Scope;
  headers?: Record<string, string>;
  /** Called for each time that the request is sent. */
  body?: (() => Uint8Array<ArrayBuffer> | AsyncIterable<Uint8Array>) | undefined;
  /** The statuses that are answers; all others are errors. */
  expect: readonly number[];
  /** Milliseconds without a byte after which to give up, if not the usual ones. */
  stallMs?: number;
  task: Task;
}

const maxRedirects = 5;

/** The largest piece of an upload, so that a slow line shows progress. */
const pieceBytes = 64 * 1024;

/** The API of a registry at one host: the registry's own or a mirror's. */
export class Endpoint implements Disposable {
  readonly host: string;
  readonly capabilities: RegistryHost["capabilities"];
  readonly #settings: RegistryHost;
  readonly #wire: Wire;
  /** For where a registry redirects to: knows the same authorities, and shows no certificate of ours. */
  readonly #elsewhere: Wire;
  readonly #surroundings: Surroundings;
  readonly #registry: string;
  /** Told to mirrors, which may serve several registries. */
  readonly #ns: string | undefined;
  #open: Promise<{ root: URL; auth: Authorizer }> | undefined;

  /** `registry` is the name in references that the host serves. */
  constructor(settings: RegistryHost, registry: string, surroundings: Surroundings) {
    const { host } = new URL(settings.url);
    this.host = host;
    this.capabilities = settings.capabilities;
    this.#settings = settings;
    this.#wire = new Wire(settings.tls);
    this.#elsewhere = new Wire({ ca: settings.tls.ca, skipVerify: settings.tls.skipVerify });
    this.#surroundings = surroundings;
    const isMirror = host !== registry && !(registry === "docker.io" && host === "registry-1.docker.io");
    this.#registry = isMirror ? host : registry;
    this.#ns = isMirror ? registry : undefined;
    for (const [name, value] of settings.headers) {
      if (/authorization|cookie|token|key|secret/i.test(name)) {
        surroundings.secrets.add(value.replace(/^\w+ +/, ""));
      }
    }
  }

  /**
   * Sends a request: makes it known to the host if that asks for it, and follows redirects of what reads.
   *
   * @throws `RegistryError` when the answer is none that was expected. Whether to try again is for the caller.
   */
  async send(request: EndpointRequest): Promise<Answer> {
    const { task } = request;
    task.signal?.throwIfAborted();
    const { root, auth } = await (this.#open ??= this.#find());
    const url = this.#urlOf(request.target, root);
    if (url.protocol !== "https:" && root.protocol === "https:") {
      const reason = `registry ${quoted(this.host)} leads from https to plain http, at ${quoted(url.host)}`;
      throw refusal(task, { code: "permission_denied", reason, host: this.host });
    }
    const signal = AbortSignal.any([this.#surroundings.closing, ...task.signal ? [task.signal] : []]);
    const patience = new Patience({
      clock: this.#surroundings.clock,
      ms: request.stallMs ?? this.#surroundings.stallMs,
      signal,
    });
    try {
      const response = await this.#authorized(request, { url, root, auth, patience });
      if (request.expect.includes(response.status)) return new Answer(response, { patience, url });
      const { redact } = this.#surroundings.secrets;
      throw await answerFailure(task, response, { host: this.host, redact });
    } catch (error) {
      patience[Symbol.dispose]();
      signal.throwIfAborted();
      throw this.failure(error, task);
    }
  }

  /** What went wrong on the way, or in the middle of an answer, as an error that says so. */
  failure(error: unknown, task: Task): unknown {
    const { host } = this;
    const named = `registry ${quoted(host)}`;
    if (error instanceof Stalled) {
      const reason = `${named}: ${error.message}`;
      return refusal(task, {
        code: "deadline_exceeded",
        reason,
        host,
        isTemporary: true,
        outcome: "no effect",
      });
    }
    if (!(error instanceof ConnectionError)) return error;
    const trouble = connectionTrouble(error);
    const reason = `${named}: ${this.#surroundings.secrets.redact(trouble.reason)}`;
    return refusal(task, { ...trouble, reason, host });
  }

  [Symbol.dispose](): void {
    this.#wire[Symbol.dispose]();
    this.#elsewhere[Symbol.dispose]();
  }

  async #authorized(
    request: EndpointRequest,
    { url, root, auth, patience }: { url: URL; root: URL; auth: Authorizer; patience: Patience },
  ): Promise<Response> {
    const { scope, task } = request;
    const isOurs = url.origin === root.origin;
    for (let challenges = 0;; challenges++) {
      patience.pause();
      const sent = isOurs ? await auth.header(scope, task) : undefined;
      patience.restart();
      const response = await this.#following(request, { url, root, authorization: sent, patience });
      if (response.status !== 401 || !isOurs) return response;
      patience.pause(); // who is asked for a token or a password has time of their own
      await auth.challenged(response, { sent, scope, task, isLast: challenges >= 2 });
    }
  }

  async #following(
    request: EndpointRequest,
    { url, root, authorization, patience }: {
      url: URL;
      root: URL;
      authorization: string | undefined;
      patience: Patience;
    },
  ): Promise<Response> {
    const { method, task } = request;
    const { secrets } = this.#surroundings;
    for (let redirects = 0;; redirects++) {
      const isOurs = url.origin === root.origin;
      const headers = new Headers(request.headers);
      headers.set("user-agent", this.#surroundings.userAgent);
      if (isOurs) {
        if (authorization !== undefined) headers.set("authorization", authorization);
        for (const [name, value] of this.#settings.headers) headers.set(name, value);
      }
      const wire = isOurs ? this.#wire : this.#elsewhere;
      const body = bodyOf(request.body?.(), patience);
      const sentAt = performance.now();
      const response = await wire.send({ method, url, headers, body, signal: patience.signal });
      this.#surroundings.onAnswer?.({
        method,
        url: `${url.origin}${url.pathname}`,
        status: response.status,
        milliseconds: Math.round(performance.now() - sentAt),
      });
      const location = response.headers.get("location");
      const redirected = [301, 302, 303, 307, 308].includes(response.status) && location !== null;
      if (!redirected || request.expect.includes(response.status)) return response;
      await response.body?.cancel();
      const next = URL.canParse(location, url) ? new URL(location, url) : undefined;
      const refuse = (what: string) =>
        refusal(task, {
          code: "permission_denied",
          reason: `registry ${quoted(this.host)} redirects ${what}`,
          host: this.host,
        });
      if (next === undefined || !/^https?:$/.test(next.protocol)) throw refuse("to nowhere");
      if (method !== "GET" && method !== "HEAD") throw refuse(`what writes, to ${quoted(next.host)}`);
      if (url.protocol === "https:" && next.protocol === "http:") {
        throw refuse(`from https to plain http, at ${quoted(next.host)}`);
      }
      if (redirects >= maxRedirects) throw refuse("in circles");
      for (const value of next.searchParams.values()) secrets.add(value); // signatures
      url = next;
    }
  }

  #urlOf(target: string | URL, root: URL): URL {
    if (target instanceof URL) {
      const url = new URL(target);
      // Behind a proxy, registries take themselves for plain.
      if (url.host === root.host) url.protocol = root.protocol;
      return url;
    }
    const url = new URL(`${root.href.replace(/\/$/, "")}/${target}`);
    if (this.#ns !== undefined) url.searchParams.set("ns", this.#ns);
    return url;
  }

  /** Finds out whether a host of which nobody knows better speaks plain http. */
  async #find(): Promise<{ root: URL; auth: Authorizer }> {
    let root = new URL(this.#settings.url);
    if (this.#settings.mayBePlain && await this.#isPlain(root)) {
      root = new URL(this.#settings.url.replace(/^https:/, "http:"));
    }
    const auth = new Authorizer({ root, registry: this.#registry, wire: this.#wire }, this.#surroundings);
    return { root, auth };
  }

  async #isPlain(root: URL): Promise<boolean> {
    const { clock, stallMs, closing } = this.#surroundings;
    using patience = new Patience({ clock, ms: stallMs, signal: closing });
    try {
      const url = new URL(`${root.href}/`);
      const response = await this.#wire.send({
        method: "GET",
        url,
        headers: new Headers(),
        signal: patience.signal,
      });
      await response.body?.cancel();
      return false;
    } catch (error) {
      // Any other trouble comes again with the request itself.
      return error instanceof ConnectionError && connectionTrouble(error).trouble === "speaks http";
    }
  }
}

/** Bytes on their way out; nobody counts the time that their source takes as the registry's. */
function bodyOf(
  body: Uint8Array<ArrayBuffer> | AsyncIterable<Uint8Array> | undefined,
  patience: Patience,
): Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array<ArrayBuffer>> | undefined {
  if (body === undefined || body instanceof Uint8Array) return body;
  const pieces = body[Symbol.asyncIterator]();
  let rest = new Uint8Array(0);
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      while (rest.length === 0) {
        patience.pause();
        const { done, value } = await pieces.next().catch((error) => {
          patience.end(error); // else it would look like one of the connection
          throw error;
        });
        patience.restart();
        if (done) return controller.close();
        rest = value as Uint8Array<ArrayBuffer>; // nothing here uses memory that is shared
      }
      controller.enqueue(rest.subarray(0, pieceBytes));
      rest = rest.subarray(pieceBytes);
    },
    async cancel() {
      await pieces.return?.();
    },
  }, { highWaterMark: 0 });
}
