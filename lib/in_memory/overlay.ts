import type { WriteContentRequest } from "../../proto/gen/containerd/services/content/v1/content.ts";
import { containerdError, NotFoundError } from "../errors.ts";
import type { SimulationEvents } from "../transport/dry_run.ts";
import { Containers, Content, Introspection, Namespaces } from "../transport/methods.ts";
import type { Call, Method, Transport } from "../transport/transport.ts";
import { describeChange } from "./changes.ts";
import { contentService } from "./content.ts";
import { copyNamespace } from "./copy_namespace.ts";
import { imagesService } from "./images.ts";
import { leasesService } from "./leases.ts";
import { checkHeader } from "./names.ts";
import { namespacesService } from "./namespaces.ts";
import { refusal } from "./refusal.ts";
import { copier, explained, first, type Handler } from "./service.ts";
import { checkLease, hold, now, State } from "./state.ts";

const commit = 2;

/**
 * A containerd in which changes show and do not happen. A namespace that is to be changed is first copied, without
 * the bytes of its blobs; from then on the copy answers for it.
 */
export class Overlay {
  readonly #inner: Transport;
  readonly #events: SimulationEvents;
  readonly #state = new State("shared");
  readonly #handlers: ReadonlyMap<string, Handler>;
  readonly #copies = new Map<string, Promise<void>>();
  readonly #aborted = new Set<string>();

  constructor(inner: Transport, events: SimulationEvents) {
    this.#inner = inner;
    this.#events = events;
    const services = [namespacesService, imagesService, leasesService, contentService];
    this.#handlers = new Map(
      services.flatMap((service) => service(this.#state)).map((handler) => [handler.method.name, handler]),
    );
  }

  async unary<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    call: Call,
  ): Promise<Response> {
    const message = (await copier(method))(request);
    const change = method.writes && this.#describe(method, message, call);
    const subject = subjectOf(method, message, call);
    try {
      if (change !== undefined && method.namespaced) checkHeader(call.namespace);
      if (change !== undefined) await this.#copy(subject, call);
      const answer = await this.#answer(method, { message, subject, call });
      if (change !== undefined) this.#tell(change, method, call);
      return (answer ?? await this.#inner.unary(method, request, call)) as Response;
    } catch (error) {
      throw explained(error, method, call);
    }
  }

  async *stream<Request, Response>(
    method: Method<Request, Response>,
    requests: readonly Request[] | AsyncIterable<Request>,
    call: Call,
  ): AsyncIterable<Response> {
    const copied = this.#copies.get(call.namespace);
    await copied;
    if (!copied && method.writes === undefined) return yield* this.#inner.stream(method, requests, call);
    const copy = await copier(method);
    const message = copy(await first(requests));
    try {
      if (method.name === Content.write.name) {
        yield await this.#share(message as WriteContentRequest, call) as Response;
      } else if (method.name === Content.list.name) {
        yield* this.#handlers.get(method.name)!.stream!(one(message), call) as AsyncIterable<Response>;
      } else if (method.name === Content.read.name) {
        yield* this.#inner.stream(method, [message as Request], await this.#reading(message, call));
      } else {
        yield* this.#inner.stream(method, [message as Request], call);
      }
    } catch (error) {
      throw explained(error, method, call);
    }
  }

  /** The answer to a unary call; `undefined` when that of the real containerd is right. */
  async #answer(
    method: Method,
    { message, subject, call }: { message: unknown; subject: string; call: Call },
  ): Promise<unknown> {
    switch (method.name) {
      case Namespaces.list.name:
        return { namespaces: await this.#namespaces(call) };
      case Namespaces.delete.name:
        await this.#refuseContainers(subject, call);
        break;
      case Content.abort.name:
        return await this.#abort((message as { ref: string }).ref, call);
      case Content.status.name:
      case Content.listStatuses.name:
        return await this.#ingests(method, message, call);
    }
    const copy = this.#copies.get(subject);
    await copy;
    const handler = copy && this.#handlers.get(method.name);
    return handler && structuredClone(handler.unary!(message, call));
  }

  /** All namespaces that would exist. */
  async #namespaces(call: Call): Promise<{ name: string; labels: Record<string, string> }[]> {
    const { namespaces } = await this.#inner.unary(Namespaces.list, {}, call);
    const others = namespaces.filter(({ name }) => !this.#copies.has(name));
    const copies = [...this.#state.namespaces].map(([name, { labels }]) => ({ name, labels: { ...labels } }));
    return [...others, ...copies].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async #abort(ref: string, call: Call): Promise<object> {
    const key = JSON.stringify([call.namespace, ref]);
    if (this.#aborted.has(key)) throw refusal("not_found", `reference ${ref}`);
    await this.#inner.unary(Content.status, { ref }, call);
    this.#aborted.add(key);
    return {};
  }

  /** Writes that are going on, without those that would have been aborted. */
  async #ingests(method: Method, message: unknown, call: Call): Promise<unknown> {
    const isAborted = (ref: string) => this.#aborted.has(JSON.stringify([call.namespace, ref]));
    if (method.name === Content.status.name) {
      const { ref } = message as { ref: string };
      if (isAborted(ref)) throw refusal("not_found", `reference ${ref}`);
      return undefined;
    }
    const { statuses } = await this.#inner.unary(
      Content.listStatuses,
      message as { filters: string[] },
      call,
    );
    return { statuses: statuses.filter(({ ref }) => !isAborted(ref)) };
  }

  /** Containers are not copied, and keep their namespace all the same. */
  async #refuseContainers(namespace: string, call: Call): Promise<void> {
    if (!this.#state.namespaces.has(namespace)) return;
    const { containers } = await this.#inner.unary(Containers.list, { filters: [] }, { ...call, namespace });
    if (containers.length === 0) return;
    const text = `namespace ${JSON.stringify(namespace)} must be empty, but it still has containers`;
    throw refusal("failed_precondition", text);
  }

  /** A commit without data makes what another namespace has appear; other writes would have to keep bytes. */
  async #share(request: WriteContentRequest, call: Call): Promise<unknown> {
    const { action, data, offset, total, expected, labels } = request;
    const bare = action === commit && data.length === 0 && offset === total && expected !== "";
    const change = this.#describe(Content.write, bare ? request : undefined, call);
    const { namespace, lease } = call;
    checkHeader(namespace);
    await this.#copy(namespace, call);
    checkLease(this.#state.at(namespace), lease);
    const resource = { type: "content", id: expected };
    if (this.#state.at(namespace).content.has(expected)) {
      hold(this.#state.at(namespace), lease, resource);
      throw refusal("already_exists", `content ${expected}`);
    }
    const size = await this.#shareableSize(expected, call);
    if (size !== total) throw refusal("out_of_range", `write @${total} must occur at current offset 0`);
    const inside = this.#state.reach(namespace);
    const at = now();
    inside.content.set(expected, { digest: expected, size, labels, createdAt: at, updatedAt: at });
    hold(inside, lease, resource);
    this.#tell(change, Content.write, call);
    return { action, startedAt: at, updatedAt: at, offset, total: 0n, digest: expected };
  }

  async #shareableSize(digest: string, call: Call): Promise<bigint | undefined> {
    const filters = ["type==io.containerd.metadata.v1"];
    const { plugins } = await this.#inner.unary(Introspection.plugins, { filters }, call);
    if (plugins.some(({ exports }) => exports.policy === "isolated")) return undefined;
    return (await this.#find(digest, call))?.size;
  }

  /** Where a blob really is. */
  async #find(digest: string, call: Call): Promise<{ namespace: string; size: bigint } | undefined> {
    const { namespaces } = await this.#inner.unary(Namespaces.list, {}, call);
    for (const { name: namespace } of namespaces) {
      try {
        const { info } = await this.#inner.unary(Content.info, { digest }, {
          ...withoutLease(call),
          namespace,
        });
        return { namespace, size: info!.size };
      } catch (error) {
        if (!(error instanceof NotFoundError)) throw error;
      }
    }
    return undefined;
  }

  /** The call that reads a blob of the copy: from a namespace that has its bytes. */
  async #reading(message: unknown, call: Call): Promise<Call> {
    const { digest } = message as { digest: string };
    if (!this.#state.at(call.namespace).content.has(digest)) throw refusal("not_found", `content ${digest}`);
    const found = await this.#find(digest, call);
    return { ...withoutLease(call), namespace: found?.namespace ?? call.namespace };
  }

  #describe(method: Method, message: unknown, call: Call): string {
    const change = message === undefined ? undefined : describeChange(method, message);
    if (change !== undefined) return change;
    const error = containerdError({
      code: "unimplemented",
      reason: "what comes after it would be guesswork",
      outcome: "not sent",
      action: "simulate",
      resource: shortName(method),
      method: method.name,
      namespace: method.namespaced ? call.namespace : undefined,
    });
    this.#events.end(error);
    throw error;
  }

  #tell(change: string, { namespaced }: Method, { namespace }: Call): void {
    this.#events.change(namespaced ? `${change} in namespace ${JSON.stringify(namespace)}` : change);
  }

  #copy(namespace: string, call: Call): Promise<void> {
    const copy = this.#copies.get(namespace) ??
      copyNamespace(namespace, { from: this.#inner, to: this.#state, call: withoutLease(call) });
    this.#copies.set(namespace, copy);
    copy.catch(() => this.#copies.delete(namespace));
    return copy;
  }
}

/** The namespace that a call is about. */
function subjectOf({ name }: Method, message: unknown, { namespace }: Call): string {
  switch (name) {
    case Namespaces.get.name:
    case Namespaces.delete.name:
      return (message as { name: string }).name;
    case Namespaces.create.name:
    case Namespaces.update.name:
      return (message as { namespace: { name: string } }).namespace.name;
    default:
      return namespace;
  }
}

/** The lease may be one that only the overlay has. */
function withoutLease({ lease: _lease, ...call }: Call): Call {
  return call;
}

function shortName({ name }: Method): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

async function* one<Item>(item: Item): AsyncIterable<Item> {
  yield item;
}
