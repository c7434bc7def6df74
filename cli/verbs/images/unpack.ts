import { selectImages } from "../../../mod.ts";
import { missingImage } from "../../elsewhere.ts";
import { unpackingOptions } from "../../unpack_options.ts";
import { unpackEach, unpackedColumns, type UnpackedRow } from "../../unpacking.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Unpack the layers of images into snapshots, from which containers start",
  examples: [
    "images unpack docker.io/library/busybox:latest",
    "-n k8s.io images unpack 'example.com/app/**' --snapshotter native",
  ],
  args: [{
    name: "REF",
    summary: "name, glob (* stops at /, ** does not) or filter",
    repeats: true,
    completes: "image",
  }],
  options: unpackingOptions,
  columns: unpackedColumns,
  repeatable: true,
  async *run(context): AsyncIterable<UnpackedRow> {
    const { args, namespaced, failed, signal } = context;
    const client = await namespaced();
    const { images, unmatched } = await selectImages(client, args, { signal });
    for (const pattern of unmatched) failed(await missingImage(pattern, { action: "unpack", context }));
    yield* unpackEach(client, images, context);
  },
});
