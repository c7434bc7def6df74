import { copyByRules, type CopyRule, definePlugin, parseCopyRules, UsageError } from "davit";

export default definePlugin({
  name: "image-sync",
  summary: "Copy the images of namespaces to others, where those lack them or have older ones",
  examples: [
    "image-sync --from build --to staging,prod",
    "image-sync --from build --to k8s.io --include 'docker.io/**' --rename docker.io/=mirror.example.com/",
    "image-sync --rules copy.yaml --dry-run",
  ],
  options: {
    from: {
      type: "list",
      commas: true,
      placeholder: "NAMESPACE",
      completes: "namespace",
      summary: "where images are",
    },
    to: {
      type: "list",
      commas: true,
      placeholder: "NAMESPACE",
      completes: "namespace",
      summary: "where they go",
    },
    rules: { type: "file", summary: "rules in YAML instead, each with from, to and what follows here" },
    include: { type: "list", placeholder: "GLOB", summary: "only these; * stops at /, ** does not" },
    exclude: { type: "list", placeholder: "GLOB", summary: "not these" },
    rename: { type: "list", placeholder: "OLD=NEW", summary: "replace a prefix of the names" },
    platform: {
      type: "list",
      commas: true,
      placeholder: "OS/ARCH",
      summary: "only these platforms, which must be complete",
    },
    mirror: { type: "boolean", summary: "remove what the targets have beyond" },
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
    const { rules: file, from, to, include, exclude, rename, platform, mirror } = options;
    const isByFlags = from.length > 0 && to.length > 0;
    if (isByFlags === (file !== undefined)) {
      throw new UsageError("Cannot copy images: name --from and --to, or --rules");
    }
    const byFlags = from.map((source): CopyRule => ({
      from: [source],
      to: to.filter((name) => name !== source),
      include: [...include],
      exclude: [...exclude],
      rename: [...rename],
      platforms: [...platform],
      mirror,
      pin: false,
      unpack: false,
      line: 1,
    }));
    const rules = file === undefined ? byFlags : await parseCopyRules(file.text, { file: file.path })
      .catch((error) => Promise.reject(new UsageError(error.message)));
    const unpacking = rules.find(({ unpack }) => unpack);
    if (unpacking) { // snapshots are not among what it may write
      const rule = `the rule at ${file?.path}:${unpacking.line}`;
      throw new UsageError(`Cannot unpack for ${rule}: davit images copy --rules ${file?.path} can`);
    }
    const results = copyByRules(client, rules, {
      dryRun,
      signal,
      onProgress: progress,
      onPlan: ({ from, unmatched }) =>
        unmatched.forEach((glob) => log.warn(`No image in namespace "${from}" matches "${glob}"`)),
    });
    for await (const { error, calls: _, ...row } of results) {
      if (error !== undefined) failed(error);
      yield row;
    }
  },
});
