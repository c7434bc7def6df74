/**
 * The transport over a MessagePort: how a plugin in its worker reaches containerd through the host. Messages cross
 * as plain objects; the host decides what they may do. Streams are pulled: nobody sends what nobody asked for.
 */
import {
  type ContainerdError,
  ContainerdError as KnownError,
  containerdError,
  type ErrorDetails,
} from "../errors.ts";
import { failure } from "./failure.ts";
import { methodsByName } from "./methods.ts";
import type { Call, Method, Transport } from "./transport.ts";

/** What crosses of a call: everything but the signal, whose abort is a message of its own. */
type PortCall = Pick<Call, "namespace" | "lease" | "action" | "resource" | "timeoutMs" | "verified">;

/** From the plugin's side. `id` names the call; `requests` is absent when they are to be asked for one by one. */
type ToHost =
  | { id: number; type: "unary"; method: string; request: unknown; call: PortCall }
  | { id: number; type: "stream"; method: string; requests: readonly unknown[] | undefined; call: PortCall }
  | { id: number; type: "pull" }
  | { id: number; type: "request"; request: unknown }
  | { id: number; type: "no more requests" }
  | { id: number; type: "cancel" };

/** From the host's side. */
type ToPlugin =
  | { id: number; type: "response"; response: unknown }
  | { id: number; type: "done" }
  | { id: number; type: "failed"; error: ErrorDetails }
  | { id: number; type: "next request" };

/** The plugin's end. */
export class MessagePortTransport implements Transport {
  readonly #port: MessagePort;
  readonly #calls = new Map<number, (message: ToPlugin) => void>();
  #lastId = 0;

  constructor(port: MessagePort) {
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent<ToPlugin>) => this.#calls.get(data.id)?.(data);
  }

  async unary<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    call: Call,
  ): Promise<Response> {
    using exchange = this.#open<Response>(call);
    exchange.send({ type: "unary", method: method.name, request, call: crossing(call) });
    const { value } = await exchange.next();
    return value!;
  }

  async *stream<Request, Response>(
    method: Method<Request, Response>,
    requests: readonly Request[] | AsyncIterable<Request>,
    call: Call,
  ): AsyncIterable<Response> {
    using exchange = this.#open<Response>(call, isArray(requests) ? undefined : requests);
    exchange.send({
      type: "stream",
      method: method.name,
      requests: isArray(requests) ? requests : undefined,
      call: crossing(call),
    });
    for (;;) {
      exchange.send({ type: "pull" });
      const { value, done } = await exchange.next();
      if (done) return;
      yield value!;
    }
  }

  // deno-lint-ignore require-await -- closing a port is synchronous, the interface is not
  async [Symbol.asyncDispose](): Promise<void> {
    this.#port.close();
  }

  #open<Response>(call: Call, requests?: AsyncIterable<unknown>): Exchange<Response> {
    call.signal?.throwIfAborted();
    const id = ++this.#lastId;
    const exchange = new Exchange<Response>({
      send: (message) => this.#port.postMessage({ ...message, id }),
      close: () => this.#calls.delete(id),
      signal: call.signal,
      requests,
    });
    this.#calls.set(id, (message) => exchange.receive(message));
    return exchange;
  }
}

type WithoutId<Message> = Message extends unknown ? Omit<Message, "id"> : never;

interface Wire {
  send(message: WithoutId<ToHost>): void;
  close(): void;
  signal: AbortSignal | undefined;
  requests: AsyncIterable<unknown> | undefined;
}

/** One call as the plugin's end sees it. */
class Exchange<Response> implements Disposable {
  readonly #wire: Wire;
  readonly #requests: AsyncIterator<unknown> | undefined;
  readonly #cancel: () => void;
  #answer = Promise.withResolvers<{ value?: Response; done: boolean }>();
  #ended = false;

  constructor(wire: Wire) {
    this.#wire = wire;
    this.#requests = wire.requests?.[Symbol.asyncIterator]();
    this.#answer.promise.catch(() => {}); // an abort may come while nobody waits
    this.#cancel = () => this.#answer.reject(wire.signal!.reason);
    wire.signal?.addEventListener("abort", this.#cancel);
  }

  get send(): Wire["send"] {
    return this.#wire.send;
  }

  async next(): Promise<{ value?: Response; done: boolean }> {
    const answer = await this.#answer.promise;
    this.#answer = Promise.withResolvers();
    this.#answer.promise.catch(() => {});
    if (this.#wire.signal?.aborted) this.#cancel();
    return answer;
  }

  receive(message: ToPlugin): void {
    switch (message.type) {
      case "response":
        return this.#answer.resolve({ value: message.response as Response, done: false });
      case "done":
        this.#ended = true;
        return this.#answer.resolve({ done: true });
      case "failed":
        this.#ended = true;
        return this.#answer.reject(containerdError(message.error));
      case "next request":
        this.#sendNext().catch((error) => this.#answer.reject(error));
    }
  }

  async #sendNext(): Promise<void> {
    const next = await this.#requests!.next();
    this.send(next.done ? { type: "no more requests" } : { type: "request", request: next.value });
  }

  [Symbol.dispose](): void {
    this.#wire.signal?.removeEventListener("abort", this.#cancel);
    if (!this.#ended) this.send({ type: "cancel" });
    this.#wire.close();
  }
}

/** The host's end: serves the calls that come in on `port` from `transport`, until disposed. */
export function servePort(port: MessagePort, transport: Transport): Disposable {
  const calls = new Map<number, Served>();
  port.onmessage = ({ data }: MessageEvent<unknown>) => {
    const message = asMessage(data);
    if (message === undefined) return; // not of this protocol: there is no call to answer
    const known = calls.get(message.id);
    if (known) return known.receive(message);
    if (message.type !== "unary" && message.type !== "stream") return;
    const served = new Served((answer) => port.postMessage({ ...answer, id: message.id }));
    calls.set(message.id, served);
    served.run(transport, message).finally(() => calls.delete(message.id));
  };
  return {
    [Symbol.dispose]() {
      for (const call of calls.values()) call.cancel();
      port.close();
    },
  };
}

/** One call as the host's end sees it. */
class Served {
  readonly #send: (message: WithoutId<ToPlugin>) => void;
  readonly #aborting = new AbortController();
  #pulled = Promise.withResolvers<void>();
  #request = Promise.withResolvers<IteratorResult<unknown>>();

  constructor(send: (message: WithoutId<ToPlugin>) => void) {
    this.#send = send;
    this.#request.promise.catch(() => {});
    this.#pulled.promise.catch(() => {});
  }

  async run(transport: Transport, message: ToHost & { type: "unary" | "stream" }): Promise<void> {
    const method = methodsByName.get(message.method);
    const call: Call = { ...message.call, signal: this.#aborting.signal };
    try {
      if (method === undefined) throw unknownMethod(message.method, call);
      if (message.type === "unary") {
        const request = await wellFormed(method, message.request, call);
        this.#send({ type: "response", response: await transport.unary(method, request, call) });
      } else {
        const requests = message.requests
          ? await Promise.all(message.requests.map((request) => wellFormed(method, request, call)))
          : this.#requests(method, call);
        for await (const response of transport.stream(method, requests, call)) {
          await this.#pull();
          this.#send({ type: "response", response });
        }
        await this.#pull();
        this.#send({ type: "done" });
      }
    } catch (error) {
      if (!this.#aborting.signal.aborted) {
        this.#send({ type: "failed", error: detailsOf(error, message, call) });
      }
    }
  }

  receive(message: ToHost): void {
    if (message.type === "cancel") this.cancel();
    else if (message.type === "pull") this.#pulled.resolve();
    else if (message.type === "request") this.#request.resolve({ value: message.request, done: false });
    else if (message.type === "no more requests") this.#request.resolve({ value: undefined, done: true });
  }

  cancel(): void {
    const reason = new DOMException("The call was cancelled", "AbortError");
    this.#aborting.abort(reason);
    this.#pulled.reject(reason);
    this.#request.reject(reason);
  }

  async #pull(): Promise<void> {
    await this.#pulled.promise;
    this.#pulled = Promise.withResolvers();
  }

  async *#requests(method: Method, call: Call): AsyncIterable<unknown> {
    for (;;) {
      this.#send({ type: "next request" });
      const { value, done } = await this.#request.promise;
      if (done) return;
      this.#request = Promise.withResolvers();
      yield await wellFormed(method, value, call);
    }
  }
}

/** The message as its codec understands it: whatever else a plugin put into it is gone. */
async function wellFormed(method: Method, request: unknown, call: Call): Promise<unknown> {
  const { requestType } = await method.codec();
  try {
    return requestType.decode(requestType.encode(requestType.fromPartial(request)).finish());
  } catch (cause) {
    throw failure(method, call, {
      code: "invalid_argument",
      reason: "malformed request",
      outcome: "not sent",
      cause,
    });
  }
}

function unknownMethod(name: string, call: Call): ContainerdError {
  return containerdError({
    code: "unimplemented",
    reason: `unknown method ${JSON.stringify(name)}`,
    outcome: "not sent",
    action: call.action,
    resource: call.resource,
  });
}

function detailsOf(error: unknown, { method }: { method: string }, { action, resource }: Call): ErrorDetails {
  if (error instanceof KnownError) return error.details;
  const reason = error instanceof Error ? error.message : String(error);
  return { code: "internal", reason, outcome: "unknown", action, resource, method };
}

/** A message with an id, a type and, where it begins a call, what a call needs; whatever a plugin sent. */
function asMessage(data: unknown): ToHost | undefined {
  const message = data as ToHost;
  if (typeof data !== "object" || data === null || !Number.isSafeInteger(message.id)) return undefined;
  if (message.type !== "unary" && message.type !== "stream") return message;
  const call = message.call as PortCall | undefined;
  const text = (value: unknown) => typeof value === "string";
  const optional = (value: unknown) => value === undefined || text(value);
  const sound = text(message.method) && text(call?.namespace) && text(call?.action) &&
    optional(call?.lease) &&
    optional(call?.resource) && ["undefined", "number"].includes(typeof call?.timeoutMs);
  return sound ? message : undefined;
}

function crossing({ namespace, lease, action, resource, timeoutMs, verified }: Call): PortCall {
  return { namespace, lease, action, resource, timeoutMs, verified };
}

function isArray<Request>(
  requests: readonly Request[] | AsyncIterable<Request>,
): requests is readonly Request[] {
  return Array.isArray(requests);
}
