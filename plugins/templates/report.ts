import { definePlugin } from "davit";

export default definePlugin({
  name: "sample-plugin",
  summary: "List the images of a namespace that are larger than a size",
  examples: ["sample-plugin -n k8s.io --over 500MB"],
  options: {
    over: { type: "size", default: 1024 ** 2, summary: "leave out what is not larger" },
  },
  columns: [
    { header: "REF", key: "name" },
    { header: "SIZE", key: "bytes", as: "bytes" },
  ],
  access: { namespaces: "current", write: false },

  async *run({ client, options, signal }) {
    const sizes = new Map<string, number>();
    for await (const { digest, size } of client.content.list({ signal })) sizes.set(digest, size);
    for await (const { name, target } of client.images.list({ signal })) {
      const bytes = sizes.get(target.digest) ?? 0;
      if (bytes > options.over) yield { name, bytes };
    }
  },
});
