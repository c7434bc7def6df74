import { definePlugin, describeImages } from "davit";

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
    const images = describeImages(client, client.images.list({ signal }), { signal });
    for await (const { name, size = 0 } of images) if (size > options.over) yield { name, bytes: size };
  },
});
