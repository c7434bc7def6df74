import { defaultSnapshotter, packSnapshot } from "../../../mod.ts";
import { rootLabels } from "../../gc_root.ts";
import { parseLabels } from "../../labels.ts";
import { snapshotterOption } from "../../snapshotter.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Print what a snapshot has beyond its parent, or another one beyond it, as a layer",
  examples: ["snapshots diff web-1", "snapshots diff base web-1 --keep"],
  args: [
    {
      name: "KEY",
      summary: "snapshot to pack; with OTHER, the one whose files are left out",
      completes: "snapshot",
    },
    { name: "OTHER", summary: "snapshot to pack", optional: true, completes: "snapshot" },
  ],
  options: {
    mediaType: {
      type: "string",
      placeholder: "TYPE",
      default: "application/vnd.oci.image.layer.v1.tar+gzip",
      summary: "of the layer",
    },
    keep: { type: "boolean", summary: "keep the layer as content" },
    label: { type: "list", placeholder: "KEY=VALUE", summary: "label of the content" },
    ...snapshotterOption,
  },
  bytes: true,
  async *run(context): AsyncIterable<Uint8Array> {
    const { args: [first = "", second], options, namespaced, log, signal } = context;
    const labels = { ...(options.keep && rootLabels()), ...parseLabels(options.label) };
    const client = await namespaced();
    const snapshotter = options.snapshotter ?? context.snapshotter ??
      await defaultSnapshotter(client, { signal });
    const which = second === undefined ? { key: first } : { key: second, base: first };
    const { mediaType } = options;
    await using packed = await packSnapshot(client, { snapshotter, ...which, mediaType, labels }, { signal });
    const { digest } = packed.layer;
    if (options.keep) log.info(`The layer is content ${digest}`);
    yield* client.content.readVerified(packed.layer, { signal });
  },
});
