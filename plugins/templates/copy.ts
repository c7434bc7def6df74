import { copyImages, definePlugin } from "davit";

export default definePlugin({
  name: "sample-plugin",
  summary: "Copy images from one namespace to others",
  examples: ["sample-plugin -n build --to staging,prod --include 'example.com/app/**'"],
  options: {
    to: { type: "list", commas: true, required: true, completes: "namespace", summary: "where they go" },
    include: { type: "list", placeholder: "GLOB", summary: "only these; * stops at /, ** does not" },
  },
  columns: [
    { header: "REF", key: "image" },
    { header: "TO", key: "to" },
    { header: "STATUS", key: "status" },
    { header: "REASON", key: "reason" },
  ],
  repeatable: true,
  access: { namespaces: "any", write: "images" },

  async *run({ client, options, failed, progress, signal }) {
    const request = {
      from: client.name,
      to: options.to,
      match: options.include,
      signal,
      onProgress: progress,
    };
    for await (const { image, to, status, reason, error } of copyImages(client, request)) {
      if (error !== undefined) failed(error);
      yield { image, to, status, reason };
    }
  },
});
