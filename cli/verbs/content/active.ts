import type { Ingest } from "../../../mod.ts";
import { acrossNamespaces } from "../../across.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "List blobs that are being written, or were not written to their end",
  examples: ["content active", "content active -A -o wide"],
  args: [{ name: "FILTER", summary: "in containerd's syntax; default: all", optional: true, repeats: true }],
  columns: [
    { header: "REF", key: "ref" },
    { header: "SIZE", key: "offset", as: "bytes" },
    { header: "AGE", key: "startedAt", as: "age" },
    { header: "TOTAL", key: "total", as: "bytes", wide: true },
    { header: "UPDATED", key: "updatedAt", as: "age", wide: true },
  ],
  acrossNamespaces: true,
  run(context): AsyncIterable<Ingest> {
    const { args, signal } = context;
    return acrossNamespaces(context, {
      what: args.length === 0 ? "ingests" : "such ingests",
      rowsOf: ({ content }) => content.listStatuses({ filters: [...args], signal }),
    });
  },
});
