import { type CopyResult, executeCopy, foreseenResults, planCopy, renamePrefixes } from "../../../mod.ts";
import { missingImage } from "../../elsewhere.ts";
import { unpackArrived, unpackOptions } from "../../unpacking.ts";
import { defineVerb } from "../../verb.ts";

interface Row extends Omit<CopyResult, "error" | "calls"> {
  /** With `--unpack`: whether it can be run there as it is. */
  unpacked?: boolean;
}

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
    unpack: { type: "boolean", summary: "unpack them there, which takes time and disk as if they were new" },
    ...unpackOptions,
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
    { header: "UNPACKED", key: "unpacked", wide: true },
  ],
  plans: true,
  repeatable: true,
  async *run(context): AsyncIterable<Row> {
    const { args, options, namespace, dryRun, client, log, failed, progress, signal } = context;
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
    const source = { ...context, namespace: plan.from };
    for (const pattern of plan.unmatched) {
      failed(await missingImage(pattern, { action: "copy", context: source }));
    }
    for (const { to, creates } of dryRun ? plan.targets : []) { // what is written announces itself
      if (creates) log.info(`Namespace ${JSON.stringify(to)} does not exist yet and would be created`);
    }
    const results = dryRun
      ? foreseenResults(plan)
      : executeCopy(connection, plan, { signal, onProgress: progress });
    for await (const { error, calls: _, ...row } of results) {
      if (error !== undefined) failed(error);
      const unpacks = options.unpack && !dryRun && row.status !== "failed";
      const arrival = { client: connection.namespace(row.to), name: row.image, platforms: options.platform };
      yield unpacks ? { ...row, unpacked: await unpackArrived(arrival, context) } : row;
    }
  },
});
