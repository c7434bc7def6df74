import { definePlugin, executePrune, planPrune } from "davit";

const hourMs = 60 * 60 * 1000;

export default definePlugin({
  name: "image-retention",
  summary: "Keep the newest images of every repository, and remove older ones that nothing uses",
  examples: [
    "image-retention -n build --keep 3 --dry-run",
    "image-retention --namespaces build,staging --keep 10 --order semver --older-than 14d",
  ],
  options: {
    keep: {
      type: "integer",
      default: 5,
      min: 1,
      env: "DAVIT_RETENTION_KEEP",
      summary: "how many of each repository stay",
    },
    order: {
      type: "string",
      choices: ["time", "semver", "natural"],
      default: "time",
      summary: "what the newest of them are",
    },
    olderThan: {
      type: "duration",
      default: 24 * hourMs,
      min: hourMs, // planPrune() spares what is younger: somebody may have pulled it and not run it yet
      summary: "leave alone what was set less than this ago",
    },
    platform: {
      type: "list",
      commas: true,
      placeholder: "OS/ARCH",
      summary: "only those that are complete for these platforms and no other",
    },
    include: { type: "list", placeholder: "GLOB", summary: "only these; * stops at /, ** does not" },
    exclude: { type: "list", placeholder: "GLOB", summary: "not these" },
    namespaces: {
      type: "list",
      commas: true,
      placeholder: "NAMESPACE",
      completes: "namespace",
      summary: "in these; else in that of -n",
    },
  },
  columns: [
    { header: "REF", key: "image" },
    { header: "NAMESPACE", key: "namespace" },
    { header: "STATUS", key: "status" },
    { header: "REASON", key: "reason" },
  ],
  plans: true,
  repeatable: true,
  access: { namespaces: "any", write: "images" },

  async *run({ client, options, dryRun, log, progress, failed, signal }) {
    const { keep, order, olderThan, platform: platforms, include, exclude, namespaces } = options;
    const plan = await planPrune(client, {
      namespaces: namespaces.length > 0 ? namespaces : [client.name],
      match: include,
      exclude,
      keepLast: keep,
      order,
      unused: true,
      olderThanMs: olderThan,
      platforms,
      signal,
    });
    for (const glob of plan.unmatched) log.warn(`No image matches "${glob}"`);
    if (dryRun) {
      for (const { image, namespace, action, reason } of plan.decisions) {
        const status = action === "remove" ? "would go" : "kept";
        yield { image: image.name, namespace, status, reason };
      }
      return;
    }
    for await (const result of executePrune(client, plan, { onProgress: progress, signal })) {
      const { image, namespace, status, reason, error } = result;
      if (error !== undefined) failed(error);
      yield { image: image.name, namespace, status, reason };
    }
  },
});
