import type { Lease } from "../../../mod.ts";
import { acrossNamespaces } from "../../across.ts";
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
  run(context): AsyncIterable<Lease> {
    const { args, signal } = context;
    return acrossNamespaces(context, {
      what: args.length === 0 ? "leases" : "such leases",
      rowsOf: ({ leases }) => leases.list({ filters: [...args], signal }),
    });
  },
});
