/** The host's end of the transport over a MessagePort. A plugin wrote what comes in: nothing of it is believed. */
import { ContainerdError, containerdError, type ErrorCode, type ErrorDetails } from "../errors.ts";
import { failure } from "./failure.ts";
import { closeNow, Flood } from "./flood.ts";
import { type Answer, crossing, lean, type PortCall, type ToPlugin, type WithoutId } from "./message_port.ts";
import { methodsByName } from "./methods.ts";
import type { Call, Method, Transport } from "./transport.ts";

/** The most calls under way at once. */
const mostCalls = 4_096;

/** The most bytes of a request; containerd takes no more. */
const largestRequest = 16 << 20;

/**
 * Serves the calls that come in on `port` from `transport`, until disposed: that ends those under way. `onFlood` is called,
 * once, when more comes in than can be served; nothing is read from then on.
 */
export function servePort(
  port: MessagePort,
  transport: Transport,
  { onFlood = () => {} }: { onFlood?: () => void } = {},
): AsyncDisposable {
  const calls = new Map<number, ServedCall>();
  const flood = new Flood();
  port.onmessage = ({ data }: MessageEvent<unknown>) => {
    if (flood.overflows(data) || calls.size > mostCalls) {
      closeNow(port);
      return onFlood();
    }
    const { id, ...message } = Object(data) as Untrusted & { id: number };
    if (!Number.isSafeInteger(id)) return; // nobody to answer
    const known = calls.get(id);
    if (known) return known.receive(message);
    if (message.type !== "unary" && message.type !== "stream") return; // about a call that is over
    const call = new ServedCall({
      transport,
      send: (answer) => port.postMessage({ ...answer, id }),
      close: () => calls.delete(id),
    });
    calls.set(id, call);
    call.begin(message);
  };
  return {
    async [Symbol.asyncDispose]() {
      flood[Symbol.dispose]();
      closeNow(port);
      await Promise.all([...calls.values()].map((call) => call.cancel()));
    },
  };
}

/** An object that a plugin sent, with anything in it. */
type Untrusted = Readonly<Record<string, unknown>>;

interface Wire {
  transport: Transport;
  send(message: WithoutId<ToPlugin>): void;
  close(): void;
}

/** One call as the host's end sees it. */
class ServedCall {
  readonly #wire: Wire;
  readonly #aborting = new AbortController();
  #answering: Promise<void> | undefined;
  #responses: AsyncIterator<unknown> | undefined;
  #request: PromiseWithResolvers<IteratorResult<unknown>> | undefined;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  begin(message: Untrusted): void {
    this.#answer(async () => {
      const { method, call: asked } = checked(message);
      const call = { ...asked, signal: this.#aborting.signal };
      if (message.type === "unary") {
        const request = await decoded(message.request, { method, call });
        return { type: "response", response: lean(await this.#wire.transport.unary(method, request, call)) };
      }
      const requests = Array.isArray(message.requests)
        ? await Promise.all(message.requests.map((request) => decoded(request, { method, call })))
        : this.#requests(method, call);
      this.#responses = this.#wire.transport.stream(method, requests, call)[Symbol.asyncIterator]();
      return await this.#next();
    });
  }

  receive(message: Untrusted): void {
    if (message.type === "cancel") this.cancel();
    else if (message.type === "pull" && this.#responses) this.#answer(() => this.#next());
    else if (message.type === "request") this.#request?.resolve({ value: message.request, done: false });
    else if (message.type === "no more requests") this.#request?.resolve({ value: undefined, done: true });
  }

  /** Resolves when nothing of the call is under way any more. */
  async cancel(): Promise<void> {
    const reason = new DOMException("The call was cancelled", "AbortError");
    this.#aborting.abort(reason);
    this.#request?.reject(reason);
    this.#wire.close();
    await this.#answering;
    await this.#responses?.return?.().catch(() => {});
  }

  /** One at a time: whoever asks again before the answer gets none. */
  #answer(find: () => Promise<WithoutId<Answer>>): void {
    this.#answering ??= find().catch(failed).then((answer) => {
      this.#answering = undefined;
      if (this.#aborting.signal.aborted) return;
      this.#wire.send(answer);
      if (answer.type !== "response" || !this.#responses) this.#wire.close();
    });
  }

  async #next(): Promise<WithoutId<Answer>> {
    const { value, done } = await this.#responses!.next();
    return done ? { type: "done" } : { type: "response", response: lean(value) };
  }

  async *#requests(method: Method, call: Call): AsyncIterable<unknown> {
    for (;;) {
      this.#aborting.signal.throwIfAborted();
      this.#request = Promise.withResolvers();
      this.#wire.send({ type: "next request" });
      const { value, done } = await this.#request.promise;
      if (done) return;
      yield await decoded(value, { method, call });
    }
  }
}

function checked({ type, method: name, call }: Untrusted): { method: Method; call: Call } {
  const method = typeof name === "string" ? methodsByName.get(name) : undefined;
  if (method === undefined || method.kind !== type) {
    throw refusal("unimplemented", `unknown method ${JSON.stringify(name)}`);
  }
  if (!isCall(call)) throw refusal("invalid_argument", "malformed call");
  return { method, call: crossing(call) };
}

function isCall(value: unknown): value is PortCall {
  const { namespace, lease, action, resource, timeoutMs } = Object(value) as Untrusted;
  return typeof namespace === "string" && typeof action === "string" &&
    [lease, resource].every((text) => text === undefined || typeof text === "string") &&
    (timeoutMs === undefined || (typeof timeoutMs === "number" && !Number.isNaN(timeoutMs)));
}

/** The message as its codec understands it: whatever else a plugin put into it is gone. */
async function decoded(request: unknown, { method, call }: { method: Method; call: Call }): Promise<unknown> {
  const { requestType } = await method.codec();
  try {
    const bytes = requestType.encode(requestType.fromPartial(request)).finish();
    if (bytes.length > largestRequest) {
      const reason = `the request has ${bytes.length} bytes, 16 MiB are the most`;
      throw failure(method, call, { code: "resource_exhausted", reason, outcome: "not sent" });
    }
    return requestType.decode(bytes);
  } catch (cause) {
    if (cause instanceof ContainerdError) throw cause;
    const reason = "malformed request";
    throw failure(method, call, { code: "invalid_argument", reason, outcome: "not sent", cause });
  }
}

function failed(error: unknown): WithoutId<Answer> {
  return { type: "failed", error: error instanceof ContainerdError ? error.details : unexpected(error) };
}

function unexpected(error: unknown): ErrorDetails {
  const reason = error instanceof Error ? error.message : String(error);
  return { code: "internal", reason, outcome: "unknown", action: "call", resource: "containerd" };
}

function refusal(code: ErrorCode, reason: string): ContainerdError {
  return containerdError({ code, reason, outcome: "not sent", action: "call", resource: "containerd" });
}
