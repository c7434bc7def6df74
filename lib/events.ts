import type { Envelope } from "../proto/gen/containerd/services/events/v1/events.ts";
import { toDate } from "./convert.ts";
import { ContainerdError, containerdError } from "./errors.ts";
import { equals } from "./filters.ts";
import type { Scope } from "./scope.ts";
import { Events as methods } from "./transport/methods.ts";
import type { CallOptions } from "./transport/transport.ts";

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
  const typeUrl = event?.typeUrl ?? "";
  const type = typeUrl.slice(typeUrl.lastIndexOf(".") + 1);
  const { decodeEvent } = await import("./event_details.ts");
  return { timestamp: toDate(timestamp), namespace, topic, type, details: decodeEvent(event) };
}
