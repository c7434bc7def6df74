import {
  checkImages,
  defaultSnapshotter,
  type ImageCheck,
  type NamespacedClient,
  selectImages,
} from "../../../mod.ts";
import { acrossNamespaces } from "../../across.ts";
import { withCells } from "../../cells.ts";
import { missingImage } from "../../elsewhere.ts";
import { UsageError } from "../../errors.ts";
import { formatBytes } from "../../format.ts";
import { defineVerb } from "../../verb.ts";

type Row = Record<"name" | "mediaType" | "digest", string> & ImageCheck;

export default defineVerb({
  summary: "Check whether all content of images is there",
  examples: ["images check -A", "images check 'example.com/app/**' --platform linux/amd64,linux/arm64"],
  args: [{
    name: "REF",
    summary: "name, glob (* stops at /, ** does not) or filter; default: all",
    optional: true,
    repeats: true,
    completes: "image",
  }],
  options: {
    platform: {
      type: "list",
      commas: true,
      placeholder: "OS/ARCH",
      summary: "what must be complete [this machine's]",
    },
    allPlatforms: { type: "boolean", summary: "every platform of an image must be complete" },
    snapshotter: {
      type: "string",
      placeholder: "NAME",
      completes: "snapshotter",
      summary: "where it may be unpacked [$CONTAINERD_SNAPSHOTTER, the namespace's default, overlayfs]",
    },
  },
  columns: [
    { header: "REF", key: "name" },
    { header: "TYPE", key: "mediaType" },
    { header: "DIGEST", key: "digest" },
    { header: "STATUS", key: "completeness", csv: ["status", "present", "required"] },
    { header: "SIZE", key: "sizes", csv: ["presentSize", "requiredSize"] },
    { header: "UNPACKED", key: "unpacked" },
    { header: "REASON", key: "reason", wide: true },
  ],
  acrossNamespaces: true,
  async *run(context) {
    const { args, options: { platform: platforms, allPlatforms }, quiet, failed, found, signal } = context;
    if (allPlatforms && platforms.length > 0) {
      throw new UsageError("Cannot use --platform with --all-platforms: it is one of them");
    }
    const snapshotter = context.options.snapshotter ?? context.snapshotter;
    const what = args.length === 0 ? "images" : undefined; // an argument that selects nothing is an error of its own
    const unmatched = new Set(args);
    const rowsOf = async function* (client: NamespacedClient): AsyncIterable<Row> {
      const selection = await selectImages(client, args, { signal });
      for (const pattern of args) if (!selection.unmatched.includes(pattern)) unmatched.delete(pattern);
      const where = quiet ? undefined : snapshotter ?? await defaultSnapshotter(client, { signal });
      const options = { platforms, allPlatforms, snapshotter: where, signal };
      const checks = checkImages(client, selection.images, options);
      for await (const { image: { name, target: { mediaType, digest } }, ...check } of checks) {
        yield { name, mediaType, digest, ...check };
      }
    };
    for await (const row of acrossNamespaces(context, { what, rowsOf })) {
      if (row.status !== "complete") found();
      // As with ctr, -q names those that are complete.
      if (row.status === "complete" || !quiet) yield withTexts(row);
    }
    for (const pattern of unmatched) failed(await missingImage(pattern, { action: "check", context }));
  },
});

function withTexts(row: Row) {
  const { status, present, required = "?", presentSize, requiredSize } = row;
  const needed = requiredSize === undefined ? "?" : formatBytes(requiredSize);
  return withCells(row, {
    completeness: `${status} (${present}/${required})`,
    sizes: `${formatBytes(presentSize)}/${needed}`,
  });
}
