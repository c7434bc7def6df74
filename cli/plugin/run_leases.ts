import { ownerLabels, type Transport } from "../../lib/host.ts";
import { Client } from "../../mod.ts";
import { thisOwner } from "../owner.ts";

/** The label of leases that a run created; its value is the run's. */
const label = "davit/run";

/** How long a call that cleans up may take, in milliseconds: somebody waits for the process to end. */
const patienceMs = 5_000;

/** The leases that a run creates: marked, so that those it leaves behind can be told from all others, then and later. */
export class RunLeases {
  readonly #inner: Transport;
  readonly #run = crypto.randomUUID();
  readonly #namespaces = new Set<string>();

  constructor(inner: Transport) {
    this.#inner = inner;
  }

  /** Passes calls on, with the mark where they create a lease. */
  get transport(): Transport {
    const inner = this.#inner;
    const marked = async <Request>(request: Request, namespace: string): Promise<Request> => {
      this.#namespaces.add(namespace);
      const { labels } = request as { labels?: Record<string, string> };
      return { ...request, labels: { ...labels, ...ownerLabels(await thisOwner()), [label]: this.#run } };
    };
    return {
      unary: async (method, request, call) => {
        const creates = method.name === "containerd.services.leases.v1.Leases/Create";
        return await inner.unary(method, creates ? await marked(request, call.namespace) : request, call);
      },
      stream: (method, requests, call) => inner.stream(method, requests, call),
      [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
    };
  }

  /** Deletes those that are left. What fails to be deleted expires by itself, if it was made so. */
  async deleteAll(): Promise<void> {
    const client = new Client(this.#inner);
    const filters = [`labels.${JSON.stringify(label)}==${JSON.stringify(this.#run)}`];
    const options = { timeoutMs: patienceMs };
    await Promise.allSettled([...this.#namespaces].map(async (namespace) => {
      const { leases } = client.namespace(namespace);
      for await (const { id } of leases.list({ filters, ...options })) await leases.delete(id, options);
    }));
  }
}
