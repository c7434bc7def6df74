import { definePlugin, executeCopy, foreseenResults, planCopy, renamePrefixes } from "davit";

export default definePlugin({
  name: "image-sync",
  summary: "Copy the images of namespaces to others, where those lack them or have older ones",
  examples: [
    "image-sync --from build --to staging,prod",
    "image-sync --from build --to k8s.io --include 'docker.io/**' --rename docker.io/=mirror.example.com/",
  ],
  options: {
    from: {
      type: "list",
      commas: true,
      required: true,
      placeholder: "NAMESPACE",
      completes: "namespace",
      summary: "where images are",
    },
    to: {
      type: "list",
      commas: true,
      required: true,
      placeholder: "NAMESPACE",
      completes: "namespace",
      summary: "where they go",
    },
    include: { type: "list", placeholder: "GLOB", summary: "only these; * stops at /, ** does not" },
    exclude: { type: "list", placeholder: "GLOB", summary: "not these" },
    rename: { type: "list", placeholder: "OLD=NEW", summary: "replace a prefix of the names" },
    platform: {
      type: "list",
      commas: true,
      placeholder: "OS/ARCH",
      summary: "only these platforms, which must be complete",
    },
  },
  columns: [
    { header: "REF", key: "image" },
    { header: "FROM", key: "from" },
    { header: "TO", key: "to" },
    { header: "STATUS", key: "status" },
    { header: "BLOBS", key: "blobs" },
    { header: "MOVED", key: "bytesMoved", as: "bytes" },
    { header: "REASON", key: "reason" },
  ],
  plans: true,
  repeatable: true,
  access: { namespaces: "any", write: "images" },

  async *run({ client, options, dryRun, log, progress, failed, signal }) {
    const rename = renamePrefixes(options.rename);
    for (const from of options.from) {
      const plan = await planCopy(client, {
        from,
        to: options.to.filter((name) => name !== from),
        match: options.include,
        exclude: options.exclude,
        platforms: options.platform,
        rename,
        signal,
      });
      for (const glob of plan.unmatched) log.warn(`No image in namespace "${from}" matches "${glob}"`);
      const results = dryRun
        ? foreseenResults(plan)
        : executeCopy(client, plan, { signal, onProgress: progress });
      for await (const { error, calls: _, ...row } of results) {
        if (error !== undefined) failed(error);
        yield row;
      }
    }
  },
});
