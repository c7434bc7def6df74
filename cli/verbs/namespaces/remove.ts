import { planPurge, purgeNamespace, type PurgePlan, removeNamespace } from "../../../mod.ts";
import { each } from "../../each.ts";
import { nearNamespace } from "../../elsewhere.ts";
import { UsageError } from "../../errors.ts";
import { describePurge, explained, reappeared } from "../../namespace_removal.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Remove namespaces that hold no images and no containers; with --purge, with all that they hold",
  examples: [
    "namespaces remove build",
    "namespaces remove build test --ignore-missing",
    "namespaces remove ci-4711 --purge --yes",
  ],
  args: [{ name: "NAME", summary: "namespace", repeats: true, completes: "namespace" }],
  options: {
    ignoreMissing: { type: "boolean", summary: "a namespace that does not exist is as good as removed" },
    deleteLeases: {
      type: "boolean",
      summary: "also when somebody holds a lease in it, and may be at work there",
    },
    cgroup: {
      type: "boolean",
      summary: "also its empty control group on this machine; --purge does so anyway",
    },
    purge: { type: "boolean", summary: "end its tasks and remove all that it holds" },
    grace: {
      type: "duration",
      default: 10_000,
      summary: "with --purge: time for tasks to end by themselves",
    },
    allowProtected: {
      type: "boolean",
      summary: "with --purge: also k8s.io, moby, buildkit and default, on which much depends",
    },
  },
  plans: true,
  asks: ({ purge }) => purge,
  async *run(context): AsyncIterable<string | PurgePlan> {
    const { args, options, dryRun, client, confirm, signal } = context;
    const { purge, ignoreMissing, deleteLeases, cgroup, grace: graceMs, allowProtected } = options;
    if (dryRun && !purge) {
      throw new UsageError("Cannot use --dry-run without --purge: it has no plan to show");
    }
    const connection = await client();
    const missing = (name: string) => (error: unknown) => {
      if (ignoreMissing) throw error;
      return nearNamespace(name, context)(error);
    };
    if (!purge) {
      const work = async (name: string) => {
        await removeNamespace(connection, name, { deleteLeases, cgroup, signal })
          .catch(explained()).catch(missing(name));
        return name;
      };
      return yield* each(args, { context, ignoreMissing, work });
    }
    const plan = (name: string) => planPurge(connection, name, { signal }).catch(missing(name));
    const plans = await Array.fromAsync(each(args, { context, ignoreMissing, work: plan }));
    if (dryRun) return yield* plans;
    if (plans.length > 0) await confirm(`Remove ${plans.map(describePurge).join(" and ")}?`);
    const work = async ({ namespace }: PurgePlan) => {
      const how = { graceMs, deleteLeases, allowProtected, signal };
      const { status } = await purgeNamespace(connection, namespace, how).catch(explained({ purge }));
      if (status === "reappeared") throw reappeared(namespace);
      return namespace;
    };
    yield* each(plans, { context, ignoreMissing, work });
  },
});
