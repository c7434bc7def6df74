import { copyByRules, type RuleResult } from "../../../mod.ts";
import { choiceOptions, rulesOf, targetsOf } from "../../copying.ts";
import { missingImage } from "../../elsewhere.ts";
import { type Planned, planned } from "../../planned.ts";
import { defineVerb } from "../../verb.ts";

type Row = Planned<Omit<RuleResult, "error" | "calls">>;

export default defineVerb({
  summary:
    "Copy images to other namespaces of the same containerd, without moving bytes where it shares them",
  examples: [
    "images copy docker.io/library/busybox:latest --to k8s.io",
    "images copy 'example.com/app/**' --from build --to staging,prod --dry-run",
    "images copy --rules /etc/davit/copy.yaml --yes",
  ],
  args: [{
    name: "REF",
    summary: "image name, or glob: * stops at /, ** does not; not with --rules",
    optional: true,
    repeats: true,
    completes: "image",
  }],
  options: choiceOptions,
  columns: [
    { header: "REF", key: "image" },
    { header: "FROM", key: "from" },
    { header: "TO", key: "to" },
    { header: "STATUS", key: "status" },
    { header: "BLOBS", key: "blobs" },
    { header: "MOVED", key: "bytesMoved", as: "bytes" },
    { header: "REASON", key: "reason" },
    { header: "DIGEST", key: "digest", wide: true },
    { header: "SOURCE", key: "source", wide: true },
    { header: "UNPACKED", key: "unpacked", wide: true },
  ],
  plans: true,
  repeatable: true,
  asks: ({ deleteExtra }) => deleteExtra,
  async *run(context): AsyncIterable<Row> {
    const { options, dryRun, client, log, confirm, progress, failed, snapshotter, signal } = context;
    const rules = await rulesOf(context);
    if (!dryRun && rules.some(({ mirror }) => mirror)) {
      await confirm(`Remove from ${targetsOf(rules)} what the copy does not put there?`);
    }
    const unmatched: { pattern: string; from: string }[] = [];
    const results = copyByRules(await client(), rules, {
      dryRun,
      snapshotter: options.snapshotter ?? snapshotter,
      onProgress: progress,
      signal,
      onPlan: ({ from, targets, unmatched: patterns }) => {
        unmatched.push(...patterns.map((pattern) => ({ pattern, from })));
        if (patterns.length === 0 && targets.every(({ images }) => images.length === 0)) {
          log.warn(`Nothing to copy from namespace ${JSON.stringify(from)}: it has no such images`);
        }
        for (const { to, creates, images } of dryRun ? targets : []) { // what is written announces itself
          if (creates && images.length > 0) {
            log.info(`Namespace ${JSON.stringify(to)} does not exist yet and would be created`);
          }
        }
      },
    });
    for await (const { error, calls: _, ...row } of results) {
      if (error !== undefined) failed(error);
      yield planned(row, { dryRun });
    }
    for (const { pattern, from } of unmatched) {
      failed(await missingImage(pattern, { action: "copy", context: { ...context, namespace: from } }));
    }
  },
});
