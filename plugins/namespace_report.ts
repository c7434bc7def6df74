import { definePlugin, mapNamespaces, type NamespacedClient, namespaceUsage } from "davit";

export default definePlugin({
  name: "namespace-report",
  summary: "Tell what each namespace holds, the largest first, and which images are new in it",
  examples: ["namespace-report", "namespace-report --since 24h -o json"],
  options: {
    since: {
      type: "duration",
      default: 7 * 24 * 60 * 60 * 1000,
      summary: "images count as new for this long",
    },
    label: {
      type: "string",
      pattern: "[^=]+(=.*)?",
      placeholder: "KEY[=VALUE]",
      summary: "only namespaces with this label",
    },
  },
  columns: [
    { header: "NAMESPACE", key: "namespace" },
    { header: "IMAGES", key: "images" },
    { header: "NEW", key: "fresh" },
    { header: "NEWEST", key: "newest" },
    { header: "CONTAINERS", key: "containers" },
    { header: "TASKS", key: "tasks" },
    { header: "LEASES", key: "leases" },
    { header: "CONTENT", key: "bytes", as: "bytes" },
    { header: "BLOBS", key: "blobs", wide: true },
    { header: "SANDBOXES", key: "sandboxes", wide: true },
  ],
  access: { namespaces: "any", write: false },

  async run({ client, options, log, signal }) {
    const newSince = Date.now() - options.since;
    const [key = "", value] = options.label?.split(/=(.*)/s) ?? [];
    const report = async (inside: NamespacedClient, { labels }: { labels: Record<string, string> }) => {
      if (key !== "" && (value === undefined ? !(key in labels) : labels[key] !== value)) return undefined;
      const usage = await namespaceUsage(inside, { signal });
      const images = await Array.fromAsync(inside.images.list({ signal }));
      const [newest] = images.toSorted((a, b) => b.updatedAt.getTime() - a.updatedAt.getTime());
      const fresh = images.filter(({ updatedAt }) => updatedAt.getTime() >= newSince).length;
      return { namespace: inside.name, ...usage, fresh, newest: newest?.name };
    };
    const reports = await Array.fromAsync(mapNamespaces(client, report, { signal }));
    const rows = reports.filter((row) => row !== undefined);
    if (rows.length === 0 && key !== "") log.warn(`No namespace has the label ${options.label}`);
    return rows.sort((a, b) => b.bytes - a.bytes);
  },
});
