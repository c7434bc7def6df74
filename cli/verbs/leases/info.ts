import { containerdError, type Lease, type Resource } from "../../../mod.ts";
import { defineVerb } from "../../verb.ts";

interface Info extends Lease {
  /** What it holds. */
  resources: Resource[];
}

export default defineVerb({
  summary: "Show all about a lease, with what it holds",
  examples: ["leases info upload", "leases info upload -o yaml"],
  args: [{ name: "ID", summary: "lease", completes: "lease" }],
  async run({ args: [id = ""], namespaced, signal }): Promise<Info> {
    const { leases, name } = await namespaced();
    const resources = await Array.fromAsync(leases.listResources(id, { signal }));
    for await (const lease of leases.list({ signal })) if (lease.id === id) return { ...lease, resources };
    throw containerdError({ // it went while we asked
      ...{ code: "not_found", reason: "not found", outcome: "refused", action: "get" },
      resource: `lease ${JSON.stringify(id)}`,
      namespace: name,
    });
  },
});
