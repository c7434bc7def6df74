import type { Envelope } from "../proto/gen/containerd/services/events/v1/events.ts";
import { toDate, toTimestamp } from "./convert.ts";
import { ContainerdError, containerdError } from "./errors.ts";
import { equals } from "./filters.ts";
import { quoted } from "./oci/quoted.ts";
import type { Scope } from "./scope.ts";
import { Events as methods } from "./transport/methods.ts";
import type { CallOptions } from "./transport/transport.ts";

/** A protobuf message, as it is sent. */
export interface EventMessage {
  /** Its full name, such as `containerd.events.TaskExit`. */
  typeUrl: string;
  /** The message, encoded. */
  value: Uint8Array;
}

/** What there is to tell of: in containerd's own words, or as any message, which goes first. */
export type NewEvent =
  & { topic: string }
  & (Pick<Event, "type" | "details"> & { message?: EventMessage | undefined } | { message: EventMessage });

/** Something that happened in a containerd. */
export interface Event {
  /** When it happened. */
  timestamp: Date;
  /** Where it happened; empty for what belongs to none. */
  namespace: string;
  /** Such as `/tasks/exit`. */
  topic: string;
  /** The message, without its package: `TaskExit`. */
  type: string;
  /** What it says, in containerd's words: `{ containerId: "web", exitStatus: 0, … }`; empty for an unknown type. */
  details: Record<string, unknown>;
  /** The same as it came. */
  message: EventMessage;
}

/** What to be told of. */
export interface SubscribeOptions extends CallOptions {
  /** containerd's syntax: `topic~="^/tasks/"`, `topic=="/tasks/oom"`, `event.container_id==web`; any of them suffices. */
  filters?: readonly string[];
  /** Not only of this namespace. */
  allNamespaces?: boolean;
}

/** containerd's events service, in one namespace. */
export class Events {
  readonly #scope: Scope;

  /** For {@linkcode NamespacedClient}, whose `events` it is. */
  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /**
   * Tells what happens from now on, until the caller stops or its signal aborts. containerd keeps no events: after a
   * lost connection, look at the state before subscribing again.
   *
   * ```ts
   * import type { NamespacedClient } from "davit";
   *
   * async function example(client: NamespacedClient) {
   *   for await (const { details } of client.events.subscribe({ filters: ['topic=="/tasks/oom"'] })) {
   *     console.log(details.containerId);
   *   }
   * }
   * ```
   *
   * @throws {UnavailableError} when the connection is lost.
   * @throws {InvalidArgumentError} when a filter is malformed.
   */
  async *subscribe(
    { filters = [], allNamespaces = false, ...options }: SubscribeOptions = {},
  ): AsyncIterable<Event> {
    const { namespace } = this.#scope;
    const call = { action: "subscribe to events", ...options };
    // A subscription sees all namespaces, whatever its header says.
    const request = { filters: allNamespaces ? [...filters] : within(namespace, filters) };
    try {
      for await (const envelope of this.#scope.stream(methods.subscribe, [request], call)) {
        if (allNamespaces || envelope.namespace === namespace) yield await fromMessage(envelope);
      }
    } catch (error) {
      throw error instanceof ContainerdError ? judged(error) : error;
    }
  }

  /**
   * Tells all subscribers of an event in this namespace, which happens now.
   *
   * ```ts
   * import type { NamespacedClient } from "davit";
   *
   * async function example({ events }: NamespacedClient) {
   *   await events.publish({ topic: "/tasks/oom", type: "TaskOOM", details: { containerId: "web" } });
   * }
   * ```
   *
   * @throws {InvalidArgumentError} when the topic is not of the form `/tasks/oom`, or there is no such type.
   */
  async publish(event: NewEvent, options: CallOptions = {}): Promise<void> {
    const call = { action: "publish", resource: `event ${quoted(event.topic)}`, ...options };
    const request = { topic: event.topic, event: await toMessage(event) };
    await this.#scope.unary(methods.publish, request, call);
  }

  /**
   * Tells all subscribers of an event that happened elsewhere, as it is: in its own namespace, at its own time, which
   * is kept to the millisecond.
   *
   * @throws {InvalidArgumentError} when its namespace or topic cannot be one.
   */
  async forward(
    event: NewEvent & Pick<Event, "timestamp" | "namespace">,
    options: CallOptions = {},
  ): Promise<void> {
    const { topic, namespace, timestamp } = event;
    const call = { action: "forward", resource: `event ${quoted(topic)}`, ...options };
    const envelope = { topic, namespace, timestamp: toTimestamp(timestamp), event: await toMessage(event) };
    await this.#scope.unary(methods.forward, { envelope }, call);
  }
}

/** An event that has to have a message, which for one in containerd's words is made. */
async function toMessage(event: NewEvent): Promise<EventMessage> {
  if (event.message) return event.message;
  const { type, details } = event as Pick<Event, "type" | "details">;
  const { encodeEvent } = await import("./event_details.ts");
  const message = encodeEvent(type, details);
  if (message) return message;
  throw containerdError({
    code: "invalid_argument",
    reason: "containerd has no event of that type",
    outcome: "not sent",
    action: "publish",
    resource: `event ${quoted(type)}`,
  });
}

/** What containerd says of filters has no code of its own. */
function judged(error: ContainerdError): ContainerdError {
  if (error.code !== "unknown" || !/parsing subscription filters/.test(error.reason)) return error;
  return containerdError({ ...error.details, code: "invalid_argument", outcome: "refused" }, {
    cause: error,
  });
}

function within(namespace: string, filters: readonly string[]): string[] {
  const own = equals("namespace", namespace);
  return filters.length === 0 ? [own] : filters.map((filter) => `${own},${filter}`);
}

async function fromMessage({ timestamp, namespace, topic, event }: Envelope): Promise<Event> {
  const { typeUrl, value } = event ?? { typeUrl: "", value: new Uint8Array() };
  const type = typeUrl.slice(typeUrl.lastIndexOf(".") + 1);
  const { decodeEvent } = await import("./event_details.ts");
  const details = decodeEvent(event);
  return { timestamp: toDate(timestamp), namespace, topic, type, details, message: { typeUrl, value } };
}
