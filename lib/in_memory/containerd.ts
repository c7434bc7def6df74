import { Client } from "../client.ts";
import { Deadline } from "../transport/deadline.ts";
import { guarded } from "../transport/guard.ts";
import type { Call, Method, Transport } from "../transport/transport.ts";
import { contentService } from "./content.ts";
import { daemonServices, emptyServices } from "./daemon.ts";
import { type Fault, faultError, Faults } from "./faults.ts";
import { type Fixtures, load } from "./fixtures.ts";
import { imagesService } from "./images.ts";
import { leasesService } from "./leases.ts";
import { checkHeader } from "./names.ts";
import { namespacesService } from "./namespaces.ts";
import { Refusal } from "./refusal.ts";
import { readAhead } from "./read_ahead.ts";
import { copier, explained, type Handler } from "./service.ts";
import { State } from "./state.ts";

/** What an {@linkcode InMemoryContainerd} begins with. */
export interface InMemoryOptions {
  /** What is in it, by namespace. */
  namespaces?: Fixtures;
  /** Whether blobs of one namespace can be had in another without sending them. Default: `"shared"`. */
  policy?: "shared" | "isolated";
  /** How long each call takes, in milliseconds. Default: 0. */
  delayMs?: number;
}

/**
 * A containerd without a daemon, for tests: namespaces, images, content and leases as in containerd 2.1, with its
 * errors, its sharing of blobs and its garbage collection; no containers, tasks, sandboxes or snapshots. Garbage is
 * collected only when a call waits for it (`sync`), so that tests are repeatable; a real one may do so at any moment.
 *
 * ```ts
 * import { copyImages } from "davit";
 * import { InMemoryContainerd } from "davit/testing";
 *
 * const containerd = new InMemoryContainerd({
 *   namespaces: { build: { images: [{ name: "example.com/app:1" }, { name: "example.com/app:2" }] } },
 * });
 * await using client = containerd.client();
 * const results = await Array.fromAsync(copyImages(client, { from: "build", to: ["k8s.io"] }));
 * if (results.some(({ status }) => status !== "copied")) throw new Error("Not everything was copied");
 * ```
 *
 * Archives become images by {@linkcode importImages}, as with a real containerd.
 */
export class InMemoryContainerd implements Transport {
  readonly #handlers: ReadonlyMap<string, Handler>;
  readonly #faults = new Faults();
  readonly #closing = new AbortController();
  readonly #delayMs: number;

  /** A containerd that holds what `namespaces` describes. */
  constructor({ namespaces = {}, policy = "shared", delayMs = 0 }: InMemoryOptions = {}) {
    const state = new State(policy);
    load(state, namespaces);
    this.#delayMs = delayMs;
    this.#handlers = new Map(
      [
        ...namespacesService(state),
        ...imagesService(state),
        ...contentService(state),
        ...leasesService(state),
        ...daemonServices(state),
        ...emptyServices(),
      ].map((handler) => [handler.method.name, handler]),
    );
  }

  /** A client of it, as `connect` gives one of a daemon. */
  client(): Client {
    return new Client(guarded({
      unary: (...call) => this.unary(...call),
      stream: (...call) => this.stream(...call),
      [Symbol.asyncDispose]: () => Promise.resolve(), // others may go on
    }));
  }

  /** Lets a later call fail. Faults add up; each happens once. */
  fail(fault: Fault): void {
    this.#faults.add(fault);
  }

  async unary<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    call: Call,
  ): Promise<Response> {
    const fault = this.#faults.next(method);
    await this.#pass(method, call);
    if (fault && !fault.applied) throw faultError(method, call, fault);
    const copy = await copier(method);
    try {
      const response = this.#handler(method, call).unary!(copy(request), call);
      if (fault) throw faultError(method, call, fault);
      return structuredClone(response) as Response;
    } catch (error) {
      throw explained(error, method, call);
    }
  }

  async *stream<Request, Response>(
    method: Method<Request, Response>,
    requests: readonly Request[] | AsyncIterable<Request>,
    call: Call,
  ): AsyncIterable<Response> {
    const fault = this.#faults.next(method);
    await this.#pass(method, call);
    if (fault && !fault.applied) throw faultError(method, call, fault);
    const copy = await copier(method);
    using deadline = this.#deadline(method, { ...call, timeoutMs: Infinity });
    try {
      const handle = this.#handler(method, call).stream!;
      const answers = handle(readAhead(requests, { copy, signal: deadline.signal }), call);
      const last = yield* cloned(answers, deadline.signal);
      if (fault) throw faultError(method, call, fault);
      if (last !== undefined) yield structuredClone(last) as Response;
    } catch (error) {
      throw explained(error, method, call);
    }
  }

  /** Ends what is under way; what it holds stays. */
  // deno-lint-ignore require-await -- the interface is asynchronous
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new DOMException("The client was closed", "AbortError"));
  }

  /** Takes as long as was asked for, and ends with the call's signal or deadline. */
  async #pass(method: Method, call: Call): Promise<void> {
    using deadline = this.#deadline(method, call);
    deadline.signal.throwIfAborted();
    if (this.#delayMs === 0) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#delayMs);
    deadline.signal.addEventListener("abort", () => reject(deadline.signal.reason));
    await promise.finally(() => clearTimeout(timer));
  }

  #deadline(method: Method, call: Call): Deadline {
    return new Deadline(method, call, { closing: this.#closing.signal });
  }

  #handler(method: Method, { namespace }: Call): Handler {
    const handler = this.#handlers.get(method.name);
    if (handler === undefined) throw new Refusal("unimplemented", `unknown method ${method.name}`);
    if (method.namespaced) checkHeader(namespace);
    return handler;
  }
}

/** The answers, and what the handler returns; nothing more once the signal aborts. */
async function* cloned<Response>(
  answers: AsyncGenerator<unknown, unknown>,
  signal: AbortSignal,
): AsyncGenerator<Response, unknown> {
  try {
    while (true) {
      const { done, value } = await answers.next();
      signal.throwIfAborted();
      if (done) return value;
      yield structuredClone(value) as Response;
      signal.throwIfAborted();
    }
  } finally {
    await answers.return(undefined);
  }
}
