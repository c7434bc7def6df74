import { definePlugin, isPinned, keepLast } from "davit";

export default definePlugin({
  name: "sample-plugin",
  summary: "Keep the newest tags of every repository, and remove those of the others that nothing uses",
  examples: ["sample-plugin -n build --keep 3 --dry-run"],
  options: {
    keep: { type: "integer", default: 5, min: 1, summary: "how many tags of each repository stay" },
  },
  columns: [
    { header: "REF", key: "name" },
    { header: "STATUS", key: "status" },
  ],
  access: { namespaces: "current", write: "images" },

  async *run({ client, options, signal }) {
    const images = await Array.fromAsync(client.images.list({ signal }));
    const used = new Set(await Array.fromAsync(client.containers.list({ signal }), ({ image }) => image));
    for (const image of keepLast(images, options.keep, { order: "semver" }).rest) {
      const status = isPinned(image) ? "pinned" : used.has(image.name) ? "in use" : "removed";
      if (status === "removed") await client.images.delete(image.name, { signal });
      yield { name: image.name, status };
    }
  },
});
