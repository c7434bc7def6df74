import { failure } from "./failure.ts";
import { Events, Introspection, Namespaces, Version } from "./methods.ts";
import type { Call, Method, Transport, Writes } from "./transport.ts";

/** What a plugin's calls may do. */
export interface Policy {
  /** The namespaces that exist for it. */
  namespaces: "any" | readonly string[];
  /** `"images"`: namespaces, images, content and leases, none of which can start anything. */
  write: false | "images" | "all";
  /** Nothing may be written, whatever `write` says. */
  dryRun?: boolean;
  /** Why something is refused that the plugin declares and its user does not allow; else the plugin lacks it. */
  narrowed?: (lack: Lack) => string | undefined;
}

/** What a policy does not allow. */
export type Lack = { namespace: string } | { write: "images" | "all" };

/**
 * Refuses calls that go beyond the policy. Its messages are for the author of a plugin.
 *
 * A header names the namespace of most calls, and a request that of the namespaces service's. Names of other
 * namespaces are left out of lists.
 */
export function restricted(inner: Transport, policy: Policy): Transport {
  return {
    async unary(method, request, call) {
      check(policy, { method, call, request });
      return withoutOthers(policy, method, await inner.unary(method, request, call));
    },
    stream(method, requests, call) {
      check(policy, { method, call, request: undefined });
      return withoutForeignEvents(policy, method, inner.stream(method, requests, call));
    },
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  };
}

/** Finds the namespace that a request is about; none where any may be asked for. */
type Subject = (request: unknown) => string | undefined;

/** All methods that take no namespace from the header, or another one, too; of the former none else is allowed. */
const subjects: ReadonlyMap<string, Subject> = new Map([
  [Namespaces.get.name, ofName],
  [Namespaces.list.name, none],
  [Namespaces.create.name, ofNamespace],
  [Namespaces.update.name, ofNamespace],
  [Namespaces.delete.name, ofName],
  [Events.forward.name, ofEnvelope],
  ...[Introspection, Version].flatMap((service) =>
    Object.values<Method>(service).map(({ name }): [string, Subject] => [name, none])
  ),
]);

function ofName(request: unknown): string {
  return String((request as { name?: string }).name ?? "");
}

function ofNamespace(request: unknown): string {
  return ofName((request as { namespace?: object }).namespace ?? {});
}

function ofEnvelope(request: unknown): string {
  return String((request as { envelope?: { namespace?: string } }).envelope?.namespace ?? "");
}

function none(): undefined {}

function check(
  { namespaces, write, dryRun = false, narrowed = () => undefined }: Policy,
  { method, call, request }: { method: Method; call: Call; request: unknown },
): void {
  const subject = subjects.get(method.name);
  if (subject === undefined && !method.namespaced) {
    refuse(method, call, `plugins may not call ${method.name}`);
  }
  for (const namespace of [method.namespaced ? call.namespace : undefined, subject?.(request)]) {
    if (namespace === undefined || namespaces === "any" || namespaces.includes(namespace)) continue;
    refuse(
      method,
      call,
      narrowed({ namespace }) ??
        `the plugin has no access: add ${JSON.stringify(namespace)} to its access.namespaces`,
    );
  }
  if (dryRun && method.writes !== undefined) refuse(method, call, "a dry run may not write");
  const needed = neededFor(method.writes);
  if (needed === undefined || write === "all" || write === needed) return;
  const may = write === false ? "the plugin may only read" : "the plugin may only write images and content";
  refuse(
    method,
    call,
    narrowed({ write: needed }) ?? `${may}: set its access.write to ${JSON.stringify(needed)}`,
  );
}

function neededFor(writes: Writes | undefined): "images" | "all" | undefined {
  if (writes === undefined) return undefined;
  return writes === "anything" ? "all" : "images";
}

function withoutOthers<Response>({ namespaces }: Policy, method: Method, response: Response): Response {
  if (method.name !== Namespaces.list.name || namespaces === "any") return response;
  const list = response as { namespaces: { name: string }[] };
  return { ...response, namespaces: list.namespaces.filter(({ name }) => namespaces.includes(name)) };
}

/** A subscription gets the events of all namespaces, whatever its header says. */
function withoutForeignEvents<Response>(
  { namespaces }: Policy,
  method: Method,
  responses: AsyncIterable<Response>,
): AsyncIterable<Response> {
  if (method.name !== Events.subscribe.name || namespaces === "any") return responses;
  return (async function* () {
    for await (const response of responses) {
      if (namespaces.includes((response as { namespace: string }).namespace)) yield response;
    }
  })();
}

function refuse(method: Method, call: Call, reason: string): never {
  throw failure(method, call, { code: "permission_denied", reason, outcome: "not sent" });
}
