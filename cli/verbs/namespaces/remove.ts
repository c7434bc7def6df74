import {
  FailedPreconditionError,
  planPurge,
  purgeNamespace,
  type PurgePlan,
  removeNamespace,
} from "../../../mod.ts";
import { each } from "../../each.ts";
import { CliError, UsageError } from "../../errors.ts";
import { formatBytes } from "../../format.ts";
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
  async *run(context): AsyncIterable<string | PurgePlan> {
    const { args, options, dryRun, client, confirm, signal } = context;
    const { purge, ignoreMissing, deleteLeases, cgroup, grace: graceMs, allowProtected } = options;
    if (dryRun && !purge) {
      throw new UsageError("Cannot use --dry-run without --purge: it has no plan to show");
    }
    const connection = await client();
    if (!purge) {
      const work = async (name: string) => {
        await removeNamespace(connection, name, { deleteLeases, cgroup, signal }).catch(explained);
        return name;
      };
      return yield* each(args, { context, ignoreMissing, work });
    }
    const plan = (name: string) => planPurge(connection, name, { signal });
    const plans = await Array.fromAsync(each(args, { context, ignoreMissing, work: plan }));
    if (dryRun) return yield* plans;
    if (plans.length > 0) await confirm(`Remove ${plans.map(described).join(" and ")}?`);
    const work = async ({ namespace }: PurgePlan) => {
      const how = { graceMs, deleteLeases, allowProtected, signal };
      const { status } = await purgeNamespace(connection, namespace, how).catch(explained);
      if (status === "reappeared") throw reappeared(namespace);
      return namespace;
    };
    yield* each(plans, { context, ignoreMissing, work });
  },
});

/** Names the flag that would allow what is refused. */
function explained(error: unknown): never {
  if (!(error instanceof FailedPreconditionError)) throw error;
  const hint = hints.find(([reason]) => reason.test(error.message))?.[1];
  throw new CliError(error.message, { code: error.code, hint, cause: error });
}

const hints: readonly (readonly [RegExp, string])[] = [
  [/ protected/, "--allow-protected removes it all the same"],
  [/ lease /, "--delete-leases removes it all the same"],
  [/ must be empty/, "--purge removes all that it holds with it"],
];

/** Done, and of no use: exit 3. */
function reappeared(name: string): CliError {
  return new CliError(`Namespace ${JSON.stringify(name)} is there again, because something writes to it`, {
    code: "found",
  });
}

/** What goes with a namespace, in words. */
function described({ namespace, tasks, sandboxes, containers, images, bytes }: PurgePlan): string {
  const counts = Object.entries({ tasks, ...(sandboxes > 0 && { sandboxes }), containers, images });
  const parts = [...counts.map(([what, count]) => `${count} ${what}`), `content of ${formatBytes(bytes)}`];
  return `namespace ${JSON.stringify(namespace)} with ${parts.join(", ")}`;
}
