import { ownerLabels, ownerOf, type Transport } from "../../lib/host.ts";
import {
  Client,
  deleteJudged,
  judgeLeases,
  type LeaseOwner,
  mapNamespaces,
  type NamespacedClient,
} from "../../mod.ts";
import { isAlive, thisOwner } from "../owner.ts";

/** The label of leases that a run created; its value is the run's. */
const label = "davit/run";

/** The label of those that a plugin holds as it works, with `acquire`; others that it makes may be to stay. */
const heldLabel = "davit/run.held";

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
      const { labels = {} } = request as { labels?: Record<string, string> };
      const marks = { [label]: this.#run, ...(ownerOf({ labels }) && { [heldLabel]: "true" }) };
      return { ...request, labels: { ...labels, ...ownerLabels(await thisOwner()), ...marks } };
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

  /** Deletes what runs that died were holding. What fails to be deleted the next run finds, or it expires. */
  async forgetDead(namespaces: "any" | readonly string[]): Promise<void> {
    const client = new Client(this.#inner);
    const here = await thisOwner();
    const options = { isAlive: (owner: LeaseOwner) => isAlive(owner, here), timeoutMs: patienceMs };
    const forget = async (inside: NamespacedClient) => {
      for (const lease of await judgeLeases(inside, options)) {
        if (lease.action === "remove" && heldLabel in lease.labels) {
          await deleteJudged(inside, lease, options);
        }
      }
    };
    if (namespaces === "any") await Array.fromAsync(mapNamespaces(client, forget));
    else await Promise.all(namespaces.map((name) => forget(client.namespace(name))));
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
