import {
  containerdError,
  type CopyResult,
  executeCopy,
  foreseenResults,
  planCopy,
  renamePrefixes,
} from "../../../mod.ts";
import { defineVerb } from "../../verb.ts";

type Row = Omit<CopyResult, "error" | "calls">;

export default defineVerb({
  summary:
    "Copy images to other namespaces of the same containerd, without moving bytes where it shares them",
  examples: [
    "images copy docker.io/library/busybox:latest --to k8s.io",
    "images copy 'example.com/app/**' --from build --to staging,prod --dry-run",
  ],
  args: [{
    name: "REF",
    summary: "image name, or glob: * stops at /, ** does not",
    repeats: true,
    completes: "image",
  }],
  options: {
    from: {
      type: "string",
      placeholder: "NAMESPACE",
      completes: "namespace",
      summary: "where the images are; default: that of -n",
    },
    to: {
      type: "list",
      commas: true,
      required: true,
      placeholder: "NAMESPACE",
      completes: "namespace",
      summary: "where they go",
    },
    exclude: { type: "list", placeholder: "GLOB", summary: "images to leave out" },
    platform: {
      type: "list",
      commas: true,
      placeholder: "OS/ARCH",
      summary: "only these platforms, which must be complete",
    },
    rename: { type: "list", placeholder: "OLD=NEW", summary: "replace a prefix of the names" },
  },
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
  ],
  plans: true,
  async *run(
    { args, options, namespace, dryRun, client, log, failed, progress, signal },
  ): AsyncIterable<Row> {
    const connection = await client();
    const plan = await planCopy(connection, {
      from: options.from ?? namespace,
      to: options.to,
      match: args,
      exclude: options.exclude,
      platforms: options.platform,
      rename: renamePrefixes(options.rename),
      signal,
    });
    for (const pattern of plan.unmatched) failed(notFound(pattern, plan.from));
    for (const { to, creates } of plan.targets) {
      if (creates) {
        log.info(
          `Namespace ${JSON.stringify(to)} does not exist yet and ${dryRun ? "would be" : "is"} created`,
        );
      }
    }
    const results = dryRun
      ? foreseenResults(plan)
      : executeCopy(connection, plan, { signal, onProgress: progress });
    for await (const { error, calls: _, ...row } of results) {
      if (error !== undefined) failed(error);
      yield row;
    }
  },
});

function notFound(pattern: string, namespace: string): Error {
  const resource = `image ${JSON.stringify(pattern)}`;
  return containerdError({
    code: "not_found",
    reason: "not found",
    outcome: "refused",
    action: "copy",
    resource,
    namespace,
  });
}
