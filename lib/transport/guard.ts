import { failure } from "./failure.ts";
import {
  Containers,
  Content,
  Diff,
  Events,
  Images,
  Leases,
  Namespaces,
  SandboxController,
  Sandboxes,
  Snapshots,
  Tasks,
} from "./methods.ts";
import type { Call, Method, Transport } from "./transport.ts";

/**
 * The sub-messages that containerd dereferences without a look. A request that lacks one ends the daemon (1.7, 2.x).
 * Each path is a chain of field names.
 */
const required: readonly [Method, ...string[][]][] = [
  [Namespaces.create, ["namespace"]],
  [Namespaces.update, ["namespace"]],
  [Images.create, ["image"], ["image", "target"]],
  [Images.update, ["image"], ["image", "target"]],
  [Content.update, ["info"]],
  [Leases.addResource, ["resource"]],
  [Leases.deleteResource, ["resource"]],
  [Containers.create, ["container"]],
  [Containers.update, ["container"]],
  [Snapshots.update, ["info"]],
  [Sandboxes.create, ["sandbox"]],
  [Sandboxes.update, ["sandbox"]],
  [SandboxController.create, ["sandbox"], ["sandbox", "spec"]], // only 2.x
  [Diff.apply, ["diff"]], // 1.6 too
  [Events.forward, ["envelope"]], // 1.6 too
  [Events.publish, ["event"]], // only 1.6
  // These end the container's shim, and nobody reaches its processes any more.
  [Tasks.exec, ["spec"]],
  [Tasks.update, ["resources"]],
];

const requiredByName = new Map(required.map(([method, ...paths]) => [method.name, paths]));

/** Refuses requests that would end the daemon, and namespace and lease headers that it would misread. */
export function guarded(inner: Transport): Transport {
  return {
    async unary(method, request, call) {
      check(method, request, call);
      return await inner.unary(method, request, call);
    },
    stream(method, requests, call) {
      check(method, undefined, call);
      return inner.stream(method, requests, call);
    },
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  };
}

function check(method: Method, request: unknown, call: Call): void {
  const missing = requiredByName.get(method.name)?.find((path) => !has(request, path));
  if (missing) refuse(method, call, `the request lacks ${missing.join(".")}`);
  for (const [header, value] of [["namespace", call.namespace], ["lease", call.lease]] as const) {
    if (value === undefined) continue;
    if (value === "") refuse(method, call, `the ${header} is empty`);
    // Headers are trimmed and cannot hold control characters or anything outside of Latin-1.
    if (!/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(value)) {
      refuse(method, call, `the ${header} ${JSON.stringify(value)} holds characters that are not allowed`);
    }
  }
}

function has(request: unknown, path: readonly string[]): boolean {
  let value = request;
  for (const field of path) {
    if (typeof value !== "object" || value === null) return false;
    value = (value as Record<string, unknown>)[field];
  }
  return typeof value === "object" && value !== null;
}

function refuse(method: Method, call: Call, reason: string): never {
  throw failure(method, call, { code: "invalid_argument", reason, outcome: "not sent" });
}
