/**
 * The transport over a MessagePort: how a plugin in its worker reaches containerd through the host, whose end is
 * `port_server.ts`. Messages cross as plain objects. Streams are pulled: nobody sends what nobody asked for.
 */
import { containerdError, type ErrorDetails } from "../errors.ts";
import type { Call, Method, Transport } from "./transport.ts";

/** What crosses of a call: everything but the signal, whose abort is a message of its own. */
export type PortCall = Pick<Call, "namespace" | "lease" | "action" | "resource" | "timeoutMs">;

/**
 * From the plugin's side; `id` names the call. The host answers each of the first three with one {@linkcode Answer}.
 * `requests` is absent when they are to be asked for one by one.
 */
export type ToHost =
  | { id: number; type: "unary"; method: string; request: unknown; call: PortCall }
  | { id: number; type: "stream"; method: string; requests: readonly unknown[] | undefined; call: PortCall }
  | { id: number; type: "pull" }
  | { id: number; type: "request"; request: unknown }
  | { id: number; type: "no more requests" }
  | { id: number; type: "cancel" };

/** From the host's side. */
export type ToPlugin = Answer | { id: number; type: "next request" };

/** `"response"` ends a unary call and is one of several in a stream, which `"done"` ends; `"failed"` ends both. */
export type Answer =
  | { id: number; type: "response"; response: unknown }
  | { id: number; type: "done" }
  | { id: number; type: "failed"; error: ErrorDetails };

/** A message to which the sender adds the id. */
export type WithoutId<Message> = Message extends unknown ? Omit<Message, "id"> : never;

/** The plugin's end. */
export class MessagePortTransport implements Transport {
  readonly #port: MessagePort;
  readonly #calls = new Map<number, PortExchange>();
  #lastId = 0;
  #closed: DOMException | undefined;

  constructor(port: MessagePort) {
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent<ToPlugin>) => this.#calls.get(data.id)?.receive(data);
  }

  async unary<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    call: Call,
  ): Promise<Response> {
    using exchange = this.#open(call);
    const question = {
      type: "unary",
      method: method.name,
      request: lean(request),
      call: crossing(call),
    } as const;
    const answer = await exchange.ask(question);
    exchange.end();
    return (answer as { response: Response }).response;
  }

  async *stream<Request, Response>(
    method: Method<Request, Response>,
    requests: readonly Request[] | AsyncIterable<Request>,
    call: Call,
  ): AsyncIterable<Response> {
    const known = isArray(requests);
    using exchange = this.#open(call, known ? undefined : requests);
    let answer = await exchange.ask({
      type: "stream",
      method: method.name,
      requests: known ? requests.map(lean) : undefined,
      call: crossing(call),
    });
    while (answer.type === "response") {
      yield answer.response as Response;
      answer = await exchange.ask({ type: "pull" });
    }
    exchange.end();
  }

  // deno-lint-ignore require-await -- closing a port is synchronous, the interface is not
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = new DOMException("The client was closed", "AbortError");
    for (const exchange of this.#calls.values()) exchange.fail(this.#closed);
    this.#port.close();
  }

  #open(call: Call, requests?: AsyncIterable<unknown>): PortExchange {
    const id = ++this.#lastId;
    const exchange = new PortExchange({
      send: (message) => this.#port.postMessage({ ...message, id }),
      close: () => this.#calls.delete(id),
      signal: call.signal,
      requests,
    });
    this.#calls.set(id, exchange);
    if (this.#closed) exchange.fail(this.#closed);
    return exchange;
  }
}

interface Wire {
  send(message: WithoutId<ToHost>): void;
  close(): void;
  signal: AbortSignal | undefined;
  requests: AsyncIterable<unknown> | undefined;
}

/** One call as the plugin's end sees it. */
class PortExchange implements Disposable {
  readonly #wire: Wire;
  readonly #requests: AsyncIterator<unknown> | undefined;
  readonly #abort: () => void;
  #answer: PromiseWithResolvers<Answer> | undefined;
  #failure: { error: unknown } | undefined;
  /** The host knows of the call. */
  #open = false;

  constructor(wire: Wire) {
    this.#wire = wire;
    this.#requests = wire.requests?.[Symbol.asyncIterator]();
    this.#abort = () => this.fail(wire.signal!.reason);
    if (wire.signal?.aborted) this.#abort();
    wire.signal?.addEventListener("abort", this.#abort);
  }

  /** Sends a message and waits for its answer. */
  async ask(message: WithoutId<ToHost>): Promise<Answer> {
    if (this.#failure) throw this.#failure.error;
    this.#wire.send(message);
    this.#open = true;
    this.#answer = Promise.withResolvers();
    return await this.#answer.promise;
  }

  receive(message: ToPlugin): void {
    if (message.type === "next request") {
      this.#sendRequest().catch((error) => this.fail(error));
    } else if (message.type === "failed") {
      this.end();
      this.fail(containerdError(message.error));
    } else {
      this.#answer?.resolve(message);
    }
  }

  /** Fails what is being waited for, or is asked for later. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#answer?.reject(this.#failure.error);
  }

  /** The host needs not be told that the call is over. */
  end(): void {
    this.#open = false;
  }

  async #sendRequest(): Promise<void> {
    const next = await this.#requests!.next();
    if (!this.#open) return;
    this.#wire.send(
      next.done ? { type: "no more requests" } : { type: "request", request: lean(next.value) },
    );
  }

  [Symbol.dispose](): void {
    this.#wire.signal?.removeEventListener("abort", this.#abort);
    if (this.#open) this.#wire.send({ type: "cancel" });
    this.end();
    this.#wire.close();
    this.#requests?.return?.().catch(() => {}); // its source may have something to close
  }
}

/** Cloning a view of some bytes clones all of their buffer; large ones are in the field `data`. */
export function lean<Message>(message: Message): Message {
  const { data } = Object(message) as { data?: unknown };
  if (!(data instanceof Uint8Array) || data.byteLength === data.buffer.byteLength) return message;
  return { ...message, data: data.slice() };
}

/** The part of a call that crosses. */
export function crossing({ namespace, lease, action, resource, timeoutMs }: Call): PortCall {
  return { namespace, lease, action, resource, timeoutMs };
}

function isArray<Request>(
  requests: readonly Request[] | AsyncIterable<Request>,
): requests is readonly Request[] {
  return Array.isArray(requests);
}
