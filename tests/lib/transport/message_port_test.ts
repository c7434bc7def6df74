import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { Client, type ErrorDetails, InvalidArgumentError, NotFoundError } from "../../../mod.ts";
import {
  MessagePortTransport,
  methodsByName,
  openSocket,
  servePort,
  type Transport,
} from "../../../lib/host.ts";
import { sha256 } from "../../real/layers.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";

const listNamespaces = methodsByName.get("containerd.services.namespaces.v1.Namespaces/List")!;
const listContent = methodsByName.get("containerd.services.content.v1.Content/List")!;
const writeContent = methodsByName.get("containerd.services.content.v1.Content/Write")!;
const call = { namespace: "default", action: "test" };

/** Both ends of a port. */
class Ends implements AsyncDisposable {
  readonly transport: MessagePortTransport;
  readonly client: Client;
  readonly #server: AsyncDisposable;

  constructor(inner: Transport) {
    const { port1, port2 } = new MessageChannel();
    this.#server = servePort(port1, inner);
    this.transport = new MessagePortTransport(port2);
    this.client = new Client(this.transport);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    await this.transport[Symbol.asyncDispose]();
  }
}

/** The host's end, and a plugin that writes its messages itself. */
class Hostile implements AsyncDisposable {
  readonly #port: MessagePort;
  readonly #server: AsyncDisposable;
  readonly #answers: { id: number }[] = [];
  #lastId = Number.MAX_SAFE_INTEGER;

  constructor(inner: Transport) {
    const { port1, port2 } = new MessageChannel();
    this.#server = servePort(port1, inner);
    this.#port = port2;
    port2.onmessage = ({ data }) => this.#answers.push(data);
  }

  send(message: unknown): void {
    this.#port.postMessage(message);
  }

  /** What was answered to everything sent so far, in the end to a call that succeeds. */
  async answers(): Promise<unknown[]> {
    const id = --this.#lastId;
    this.send({ id, type: "unary", method: listNamespaces.name, request: {}, call });
    await until(() => this.#answers.some((answer) => answer.id === id));
    return this.#answers.filter((answer) => answer.id < this.#lastId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    this.#port.close();
  }
}

/** A transport that does what a test says. */
function scripted(
  { unary = () => Promise.resolve({ namespaces: [] }), stream = nothing }: {
    unary?(request: unknown, signal: AbortSignal): Promise<unknown>;
    stream?(requests: AsyncIterable<unknown>, signal: AbortSignal): AsyncIterable<unknown>;
  },
): Transport {
  return {
    unary: (_method, request, { signal }) => unary(request, signal!) as Promise<never>,
    stream: (_method, requests, { signal }) =>
      stream(requests as AsyncIterable<unknown>, signal!) as AsyncIterable<never>,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function* nothing(): AsyncIterable<never> {}

/** Rejects when the signal aborts. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}

realTest("MessagePortTransport carries streams in both directions", async (_t, containerd) => {
  await using socket = await openSocket({ path: containerd.address });
  await using ends = new Ends(socket);
  const client = ends.client.namespace(uniqueNamespace());
  await using lease = await client.leases.acquire({ prefix: "test" });
  const { content } = client.withLease(lease.id);
  const bytes = randomBytes(5 * 1024 * 1024 + 17);
  const digest = await sha256(bytes);
  // One piece of it all: what crosses are views of its buffer.
  await content.write({ digest, size: bytes.length }, async function* (offset) {
    yield bytes.subarray(offset);
  });
  const read = new Blob(await Array.fromAsync(content.read(digest)));
  assertEquals(await sha256(new Uint8Array(await read.arrayBuffer())), digest);
  assertEquals((await Array.fromAsync(content.list())).map((info) => info.digest), [digest]);
  assertEquals((await content.readSmall({ digest, size: bytes.length })).length, bytes.length);
});

realTest(
  "MessagePortTransport keeps the class and the details of containerd's errors",
  async (_t, containerd) => {
    await using socket = await openSocket({ path: containerd.address });
    await using ends = new Ends(socket);
    const namespace = uniqueNamespace();
    const { images, content } = ends.client.namespace(namespace);
    const missing = await assertRejects(() => images.get("example.com/none:1"), NotFoundError);
    assertEquals(missing.resource, 'image "example.com/none:1"');
    assertEquals(missing.namespace, namespace);
    const digest = `sha256:${"0".repeat(64)}`;
    await assertRejects(() => Array.fromAsync(content.read(digest)), NotFoundError);
    await assertRejects(() => ends.client.namespaces.create("not a name"), InvalidArgumentError);
  },
);

Deno.test("MessagePortTransport leaves messages on the host's side until they are asked for", async () => {
  let produced = 0;
  let returned = false;
  await using ends = new Ends(scripted({
    async *stream() {
      try {
        for (;;) yield { info: [produced++] };
      } finally {
        returned = true;
      }
    },
  }));
  for await (const _message of ends.transport.stream(listContent, [{}], call)) {
    await turn();
    if (produced === 3) break;
  }
  await until(() => returned);
  assertEquals(produced, 3);
});

Deno.test("MessagePortTransport asks the source of requests one by one and ends it with the call", async () => {
  let produced = 0;
  let returned = false;
  const seen: unknown[] = [];
  await using ends = new Ends(scripted({
    async *stream(requests) {
      for await (const request of requests) {
        seen.push((request as { ref: string }).ref);
        yield { offset: 0n };
        if (seen.length === 2) return;
      }
    },
  }));
  async function* requests() {
    try {
      for (;;) yield { ref: `ref-${produced++}` };
    } finally {
      returned = true;
    }
  }
  const replies = await Array.fromAsync(ends.transport.stream(writeContent, requests(), call));
  assertEquals(replies.length, 2);
  assertEquals(seen, ["ref-0", "ref-1"]);
  await until(() => returned);
  assertEquals(produced, 2);
});

Deno.test("MessagePortTransport ends a stream whose source of requests fails, on both sides", async () => {
  const ended = Promise.withResolvers<unknown>();
  await using ends = new Ends(scripted({
    async *stream(requests) {
      try {
        for await (const _request of requests) yield { offset: 0n };
      } catch (error) {
        ended.resolve(error);
        throw error;
      }
    },
  }));
  async function* requests() {
    yield { ref: "a" };
    throw new RangeError("the source is dry");
  }
  const stream = ends.transport.stream(writeContent, requests(), call);
  await assertRejects(() => Array.fromAsync(stream), RangeError, "the source is dry");
  assertInstanceOf(await ended.promise, DOMException);
});

for (const kind of ["unary", "stream"] as const) {
  Deno.test(`MessagePortTransport rejects a ${kind} call with the reason of its signal and ends it on the host`, async () => {
    const hostAborted = Promise.withResolvers<void>();
    const hanging = (signal: AbortSignal) => aborted(signal).finally(hostAborted.resolve);
    await using ends = new Ends(scripted({
      unary: (_request, signal) => hanging(signal),
      async *stream(_requests, signal) {
        yield {};
        await hanging(signal);
      },
    }));
    const controller = new AbortController();
    const options = { ...call, signal: controller.signal };
    const calling = kind === "unary"
      ? ends.transport.unary(listNamespaces, {}, options)
      : Array.fromAsync(ends.transport.stream(listContent, [{}], options));
    await turn();
    const reason = new Error("enough");
    controller.abort(reason);
    assertEquals(await calling.catch((error) => error), reason);
    await hostAborted.promise;
  });
}

Deno.test("MessagePortTransport does not send a call whose signal is aborted", async () => {
  let calls = 0;
  await using ends = new Ends(scripted({ unary: () => Promise.resolve({ namespaces: [calls++] }) }));
  const signal = AbortSignal.abort(new Error("too late"));
  await assertRejects(() => ends.transport.unary(listNamespaces, {}, { ...call, signal }), Error, "too late");
  await ends.transport.unary(listNamespaces, {}, call);
  assertEquals(calls, 1);
});

Deno.test("MessagePortTransport fails its calls when it is closed", async () => {
  await using ends = new Ends(scripted({ unary: (_request, signal) => aborted(signal) }));
  const calling = assertRejects(() => ends.transport.unary(listNamespaces, {}, call), DOMException);
  await turn();
  await ends.transport[Symbol.asyncDispose]();
  await calling;
});

Deno.test("servePort() refuses methods that it does not know, and kinds that they are not of", async () => {
  let reached = 0;
  await using plugin = new Hostile(scripted({
    unary: () => Promise.resolve({ namespaces: [reached++] }),
    stream: () => (reached++, nothing()),
  }));
  const wrong = [
    { type: "unary", method: "containerd.services.tasks.v1.Tasks/Annihilate" },
    { type: "unary", method: "__proto__" },
    { type: "unary", method: { name: listNamespaces.name } },
    { type: "unary", method: writeContent.name },
    { type: "stream", method: listNamespaces.name, requests: [{}] },
  ];
  wrong.forEach((message, id) => plugin.send({ id, request: {}, call, ...message }));
  assertEquals((await plugin.answers()).map(codeOf), wrong.map(() => "unimplemented"));
  assertEquals(reached, 1, "the last one is Hostile's own");
});

Deno.test("servePort() refuses calls and requests that are malformed", async () => {
  let reached = 0;
  await using plugin = new Hostile(scripted({
    unary: () => Promise.resolve({ namespaces: [reached++] }),
    stream: () => (reached++, nothing()),
  }));
  const sound = { type: "unary", method: listNamespaces.name, request: {}, call };
  const wrong = [
    { call: undefined },
    { call: null },
    { call: "default" },
    { call: { action: "test" } },
    { call: { namespace: ["default"], action: "test" } },
    { call: { ...call, lease: 1 } },
    { call: { ...call, resource: {} } },
    { call: { ...call, timeoutMs: "1" } },
    { call: { ...call, timeoutMs: NaN } },
    { request: null },
    { request: undefined },
    { type: "stream", method: listContent.name, requests: [null] },
    { type: "stream", method: listContent.name, requests: [{}, { filters: 1 }] },
  ];
  wrong.forEach((message, id) => plugin.send({ id, ...sound, ...message }));
  assertEquals((await plugin.answers()).map(codeOf), wrong.map(() => "invalid_argument"));
  assertEquals(reached, 1, "the last one is Hostile's own");
});

Deno.test("servePort() does not answer what is no message, or is about no call", async () => {
  await using plugin = new Hostile(scripted({}));
  const noise = [null, undefined, 1, "unary", [], {}, { id: "1", type: "unary" }, { id: 0.5, type: "unary" }];
  for (const message of noise) plugin.send(message);
  for (const type of ["pull", "request", "no more requests", "cancel", "response", "close", 7]) {
    plugin.send({ id: 3, type });
  }
  assertEquals(await plugin.answers(), []);
});

Deno.test("servePort() gives a transport only the fields that a request has", async () => {
  const requests: unknown[] = [];
  await using plugin = new Hostile(scripted({
    unary: (request) => (requests.push(request), Promise.resolve({ namespaces: [] })),
  }));
  const request = { filter: "x", namespace: "k8s.io", toString: "no", deep: { deeper: 1 } };
  plugin.send({ id: 1, type: "unary", method: listNamespaces.name, request, call });
  await plugin.answers();
  assertEquals(requests[0], { filter: "x" });
});

Deno.test("servePort() answers one call of an id at a time, and one question of it", async () => {
  const hold = Promise.withResolvers<void>();
  let streams = 0;
  await using plugin = new Hostile(scripted({
    async *stream() {
      streams++;
      yield { info: [] };
      await hold.promise;
      yield { info: [] };
    },
  }));
  const begin = { id: 1, type: "stream", method: listContent.name, requests: [{}], call };
  plugin.send(begin);
  assertEquals((await plugin.answers()).map(typeOf), ["response"]);
  for (let n = 0; n < 1000; n++) plugin.send({ id: 1, type: "pull" });
  plugin.send(begin);
  assertEquals((await plugin.answers()).map(typeOf), ["response"]);
  hold.resolve();
  await turn();
  assertEquals((await plugin.answers()).map(typeOf), ["response", "response"]);
  assertEquals(streams, 1);
});

Deno.test("servePort() ends the calls under way when it is disposed", async () => {
  const ended: string[] = [];
  const transport = scripted({
    unary: (_request, signal) => aborted(signal).finally(() => ended.push("unary")),
    async *stream() {
      try {
        for (;;) yield {};
      } finally {
        ended.push("stream");
      }
    },
  });
  const { port1, port2 } = new MessageChannel();
  const server = servePort(port1, transport);
  port2.postMessage({ id: 1, type: "stream", method: listContent.name, requests: [{}], call });
  port2.postMessage({ id: 2, type: "unary", method: listNamespaces.name, request: {}, call });
  await new Promise((resolve) => port2.onmessage = resolve);
  await server[Symbol.asyncDispose]();
  assertEquals(ended.sort(), ["stream", "unary"]);
  port2.close();
});

function codeOf(answer: unknown): string | undefined {
  return (answer as { error?: ErrorDetails }).error?.code;
}

function typeOf(answer: unknown): string {
  return (answer as { type: string }).type;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

function randomBytes(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536));
  return bytes;
}
