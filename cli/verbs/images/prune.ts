import { executePrune, planPrune, type PrunePlan } from "../../../mod.ts";
import { forgetDeadRuns } from "../../dead_runs.ts";
import { missingImage } from "../../elsewhere.ts";
import { describeFreed } from "../../freed.ts";
import { criteria, requireCriterion } from "../../prune_criteria.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Remove images that rules let go, and say why the others stay",
  examples: [
    "images prune --keep-last 5 --unused --dry-run",
    "images prune -A --older-than 30d --unused --yes",
    "images prune 'example.com/ci/**' --keep-last 10 --order semver",
    "images prune -A --unused --platform linux/arm64,linux/arm --dry-run",
  ],
  args: [{
    name: "REF",
    summary: "only these: name, glob (* stops at /, ** does not) or filter",
    optional: true,
    repeats: true,
    completes: "image",
  }],
  options: {
    ...criteria,
    versions: {
      type: "string",
      placeholder: "RANGE",
      summary: "only tags that are versions of it: '>=1.2 <2'",
    },
    exclude: { type: "list", placeholder: "GLOB", summary: "not these" },
    minAge: { type: "duration", default: 3_600_000, summary: "leave alone what was set less than this ago" },
  },
  columns: [
    { header: "REF", key: "image" },
    { header: "STATUS", key: "status" },
    { header: "REASON", key: "reason" },
    { header: "DIGEST", key: "digest", wide: true },
  ],
  plans: true,
  repeatable: true,
  asks: () => true,
  acrossNamespaces: true,
  async *run(context) {
    const { args, options, allNamespaces, namespace, dryRun, client, log } = context;
    const { progress, failed, confirm, signal } = context;
    requireCriterion(options);
    const { keepWithin = 0, olderThan = 0, minAge, platform: platforms, ...rules } = options;
    const connection = await client();
    await forgetDeadRuns(context, "images prune");
    const plan = await planPrune(connection, {
      ...rules,
      ...(Math.max(keepWithin, olderThan) > 0 && { olderThanMs: Math.max(keepWithin, olderThan) }),
      platforms,
      minAgeMs: minAge,
      match: args,
      ...(!allNamespaces && { namespaces: [namespace] }),
      signal,
    });
    for (const pattern of plan.unmatched) failed(await missingImage(pattern, { action: "prune", context }));
    const going = plan.decisions.filter(({ action }) => action === "remove").length;
    log.info(announcement(going, { plan, dryRun }));
    if (!dryRun && going > 0) await confirm(`Remove ${going} of ${plan.decisions.length} images?`);
    const results = dryRun
      ? plan.decisions
      : executePrune(connection, plan, { onProgress: progress, signal });
    for await (const { image, namespace, action, reason, ...result } of results) {
      if ("error" in result) failed(result.error);
      const status = "status" in result ? result.status : action === "remove" ? "would be removed" : "kept";
      const { name, target: { digest } } = image;
      yield { image: name, ...(allNamespaces && { namespace }), status, reason, digest };
    }
  },
});

function announcement(going: number, { plan, dryRun }: { plan: PrunePlan; dryRun: boolean }): string {
  if (going === 0) return `Nothing to remove: all of ${plan.decisions.length} images stay`;
  const would = dryRun ? "would free" : "frees";
  return `Removing ${going} of ${plan.decisions.length} images ${would} ${describeFreed(plan.freed)}`;
}
