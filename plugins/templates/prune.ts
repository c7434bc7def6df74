import { definePlugin, newestFirst, repositoryOf, tagOf } from "davit";

export default definePlugin({
  name: "sample-plugin",
  summary: "Keep the newest tags of every repository, and remove the others",
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
    const tagged = images.map(({ name, updatedAt }) => ({ name, updatedAt, tag: tagOf(name) }));
    const repositories = Map.groupBy(
      tagged.filter(({ tag }) => tag !== ""),
      ({ name }) => repositoryOf(name),
    );
    for (const tags of repositories.values()) {
      for (const { name } of tags.sort(newestFirst("semver")).slice(options.keep)) {
        await client.images.delete(name, { signal });
        yield { name, status: "removed" };
      }
    }
  },
});
