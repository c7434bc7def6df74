import type { Lease, NamespacedClient } from "../../../mod.ts";
import { acrossNamespaces } from "../../across.ts";
import { elsewhere } from "../../elsewhere.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "List leases: what keeps content from being collected while somebody works on it",
  examples: ["leases list", "leases list -A", `leases list 'labels."owner"==ops'`],
  args: [{ name: "FILTER", summary: "in containerd's syntax; default: all", optional: true, repeats: true }],
  columns: [
    { header: "ID", key: "id" },
    { header: "CREATED AT", key: "createdAt", as: "age" },
    { header: "LABELS", key: "labels", as: "labels" },
  ],
  acrossNamespaces: true,
  async *run(context): AsyncIterable<Lease> {
    const { args, allNamespaces, namespace, log, signal } = context;
    const list = ({ leases }: NamespacedClient) => leases.list({ filters: [...args], signal });
    let isEmpty = true;
    for await (const lease of acrossNamespaces(context, list)) {
      isEmpty = false;
      yield lease;
    }
    const places = isEmpty && !allNamespaces ? await elsewhere(context, list) : undefined;
    if (places) log.info(`No such leases in namespace ${JSON.stringify(namespace)}, but in ${places}`);
  },
});
