import type { Sandbox } from "../../../mod.ts";
import { acrossNamespaces } from "../../across.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "List sandboxes: what containers of a pod share; since containerd 1.7",
  examples: ["sandboxes list -n k8s.io", "sandboxes list -A", `sandboxes list 'labels."app"==web'`],
  args: [{ name: "FILTER", summary: "in containerd's syntax; default: all", optional: true, repeats: true }],
  columns: [
    { header: "ID", key: "id" },
    { header: "CREATED", key: "createdAt", as: "age" },
    { header: "RUNTIME", key: "runtime" },
    { header: "SANDBOXER", key: "sandboxer", wide: true },
    { header: "LABELS", key: "labels", as: "labels", wide: true },
  ],
  acrossNamespaces: true,
  run(context): AsyncIterable<Sandbox> {
    const { args, signal } = context;
    return acrossNamespaces(context, {
      what: args.length === 0 ? "sandboxes" : "such sandboxes",
      rowsOf: ({ sandboxes }) => sandboxes.list({ filters: [...args], signal }),
    });
  },
});
