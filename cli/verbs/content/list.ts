import type { ContentInfo } from "../../../mod.ts";
import { acrossNamespaces } from "../../across.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "List blobs",
  examples: ["content list", "content list -A", "content list 'size>1000000'"],
  args: [{ name: "FILTER", summary: "in containerd's syntax; default: all", optional: true, repeats: true }],
  columns: [
    { header: "DIGEST", key: "digest" },
    { header: "SIZE", key: "size", as: "bytes" },
    { header: "AGE", key: "createdAt", as: "age" },
    { header: "LABELS", key: "labels", as: "labels" },
    { header: "UPDATED", key: "updatedAt", as: "age", wide: true },
  ],
  acrossNamespaces: true,
  run(context): AsyncIterable<ContentInfo> {
    const { args, signal } = context;
    return acrossNamespaces(context, {
      what: args.length === 0 ? "content" : "such content",
      rowsOf: ({ content }) => content.list({ filters: [...args], signal }),
    });
  },
});
