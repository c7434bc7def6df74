import { AlreadyExistsError } from "../../../mod.ts";
import { parseLabels } from "../../labels.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Create a lease, and print its id",
  examples: ["leases create", "leases create upload --expires 2h --label owner=ci"],
  args: [{ name: "ID", summary: "default: a new one", optional: true }],
  options: {
    expires: {
      type: "duration",
      default: 86_400_000,
      summary: "what it holds may be collected after this time; 0: never",
    },
    label: { type: "list", placeholder: "KEY=VALUE", summary: "label of the lease" },
    ifNotExists: { type: "boolean", summary: "it may exist already; it then stays as it is" },
  },
  async run({ args: [id = crypto.randomUUID()], options, namespaced, log, signal }): Promise<string> {
    const { expires, label, ifNotExists } = options;
    if (id.includes("=")) {
      log.warn(`${JSON.stringify(id)} becomes the id of the lease: --label gives it labels`);
    }
    const lease = { id, labels: parseLabels(label), ...(expires > 0 && { expiresInMs: expires }) };
    const { leases } = await namespaced();
    await leases.create(lease, { signal }).catch((error) => {
      if (!(ifNotExists && error instanceof AlreadyExistsError)) throw error;
    });
    return id;
  },
});
