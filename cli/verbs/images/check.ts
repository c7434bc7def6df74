import {
  checkImages,
  defaultSnapshotter,
  type ImageCheck,
  type NamespacedClient,
  selectImages,
} from "../../../mod.ts";
import { acrossNamespaces } from "../../across.ts";
import { missingImage } from "../../elsewhere.ts";
import { formatBytes } from "../../format.ts";
import { defineVerb } from "../../verb.ts";

interface Row extends ImageCheck {
  name: string;
  mediaType: string;
  digest: string;
}

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
    snapshotter: {
      type: "string",
      placeholder: "NAME",
      summary: "where it may be unpacked [the namespace's default, overlayfs]",
    },
  },
  columns: [
    { header: "REF", key: "name" },
    { header: "TYPE", key: "mediaType" },
    { header: "DIGEST", key: "digest" },
    { header: "STATUS", key: "statusCell" },
    { header: "SIZE", key: "sizeCell" },
    { header: "UNPACKED", key: "unpacked" },
    { header: "REASON", key: "reason", wide: true },
  ],
  acrossNamespaces: true,
  async *run(context): AsyncIterable<Row & Cells> {
    const { args, options: { platform: platforms, snapshotter }, quiet, failed, found, signal } = context;
    const unmatched = new Set(args);
    const rowsOf = async function* (client: NamespacedClient): AsyncIterable<Row> {
      const selection = await selectImages(client, args, { signal });
      for (const pattern of args) if (!selection.unmatched.includes(pattern)) unmatched.delete(pattern);
      const where = quiet ? undefined : snapshotter ?? await defaultSnapshotter(client, { signal });
      const checks = checkImages(client, selection.images, { platforms, snapshotter: where, signal });
      for await (const { image: { name, target: { mediaType, digest } }, ...check } of checks) {
        yield { name, mediaType, digest, ...check };
      }
    };
    for await (const row of acrossNamespaces(context, rowsOf)) {
      if (row.status !== "complete") found();
      // As with ctr, -q names those that are complete.
      if (row.status === "complete" || !quiet) yield withCells(row);
    }
    for (const pattern of unmatched) failed(await missingImage(pattern, { action: "check", context }));
  },
});

/** What tables show of several fields; inherited, so that other forms of output show the fields alone. */
interface Cells {
  statusCell: string;
  sizeCell: string;
}

function withCells(row: Row): Row & Cells {
  const { status, present, required = "?", presentSize, requiredSize } = row;
  const needed = requiredSize === undefined ? "?" : formatBytes(requiredSize);
  const cells: Cells = {
    statusCell: `${status} (${present}/${required})`,
    sizeCell: `${formatBytes(presentSize)}/${needed}`,
  };
  return Object.assign(Object.create(cells), row);
}
