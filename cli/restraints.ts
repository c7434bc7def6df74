/** What the user forbids for a whole run, whatever verb or plugin it is, and what davit does not do silently. */
import type { Transport } from "../lib/host.ts";
import { Client, containerdError, type ErrorCode, nearest } from "../mod.ts";

type Method = Parameters<Transport["unary"]>[0];
type Call = Parameters<Transport["unary"]>[2];

/** `--no-writes`: refuses every call that changes something. */
export function withoutWrites(inner: Transport): Transport {
  return checked(inner, (method, _, call) => {
    if (method.writes !== undefined) refuse(method, call, ["permission_denied", "--no-writes is given"]);
  });
}

/** What to do about namespaces that come into being. */
export interface NamespaceWatch {
  /** `--no-create-namespace` */
  refuses: boolean;
  announce(message: string): void;
}

/** containerd creates a namespace on the first write in it, so that a mistyped one goes unnoticed. */
export function watchingNamespaces(inner: Transport, { refuses, announce }: NamespaceWatch): Transport {
  const { namespaces } = new Client(inner);
  const judged = new Map<string, Promise<void>>();

  async function judge(method: Method, call: Call): Promise<void> {
    const { namespace, signal } = call;
    const existing = await Array.fromAsync(namespaces.list({ signal }), ({ name }) => name);
    if (existing.includes(namespace)) return;
    if (refuses) refuse(method, call, ["not_found", "no such namespace, and --no-create-namespace is given"]);
    const near = nearest(namespace, existing);
    const suggestion = near === undefined ? "" : `; did you mean ${JSON.stringify(near)}?`;
    announce(`Namespace ${JSON.stringify(namespace)} does not exist yet and is created${suggestion}`);
  }

  return checked(inner, (method, request, call) => {
    if (method.name.endsWith(".Namespaces/Create")) {
      if (refuses) {
        refuse(method, call, ["not_found", "no such namespace, and --no-create-namespace is given"]);
      }
      judged.set(nameIn(request), Promise.resolve());
    } else if (method.namespaced && /\/(Create|Write|Prepare|View)$/.test(method.name)) {
      const judgement = judged.get(call.namespace) ?? judge(method, call);
      judged.set(call.namespace, judgement);
      return judgement;
    }
  });
}

/** A transport that looks at every call before it sends it. */
function checked(
  inner: Transport,
  check: (method: Method, request: unknown, call: Call) => void | Promise<void>,
): Transport {
  return {
    async unary(method, request, call) {
      await check(method as Method, request, call);
      return await inner.unary(method, request, call);
    },
    async *stream(method, requests, call) {
      await check(method as Method, undefined, call);
      yield* inner.stream(method, requests, call);
    },
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  };
}

function refuse(method: Method, call: Call, [code, reason]: [ErrorCode, string]): never {
  throw containerdError({
    code,
    reason,
    outcome: "not sent",
    action: call.action,
    resource: call.resource,
    namespace: method.namespaced ? call.namespace : undefined,
    method: method.name,
  });
}

function nameIn(request: unknown): string {
  return String((request as { namespace?: { name?: string } }).namespace?.name);
}
