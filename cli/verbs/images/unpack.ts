import { type Image, selectImages, unpackImage } from "../../../mod.ts";
import { each } from "../../each.ts";
import { missingImage } from "../../elsewhere.ts";
import { unpackOptions } from "../../unpacking.ts";
import { defineVerb } from "../../verb.ts";

interface Row {
  image: string;
  status: "unpacked" | "exists";
  /** Layers that were unpacked. */
  unpacked: number;
  /** Layers that were before. */
  existing: number;
  snapshotter: string;
  chainId: string;
}

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
  options: {
    platform: {
      type: "string",
      placeholder: "OS/ARCH",
      summary: "which one of its platforms [this machine's]",
    },
    ...unpackOptions,
    syncFs: { type: "boolean", summary: "wait until the files are on the disk (containerd 2.0 and later)" },
  },
  columns: [
    { header: "REF", key: "image" },
    { header: "STATUS", key: "status" },
    { header: "UNPACKED", key: "unpacked" },
    { header: "EXISTING", key: "existing" },
    { header: "SNAPSHOTTER", key: "snapshotter" },
    { header: "CHAIN ID", key: "chainId", wide: true },
  ],
  async *run(context): AsyncIterable<Row> {
    const { args, options: { platform, snapshotter, syncFs }, namespaced, failed, progress, signal } =
      context;
    const client = await namespaced();
    const { images, unmatched } = await selectImages(client, args, { signal });
    for (const pattern of unmatched) failed(await missingImage(pattern, { action: "unpack", context }));
    const where = { platform, snapshotter: snapshotter ?? context.snapshotter, syncFs };
    yield* each(images, {
      context,
      async work(image: Image) {
        const result = await unpackImage(client, image, { ...where, onProgress: progress, signal });
        const existing = result.layers.filter(({ state }) => state === "exists").length;
        const unpacked = result.layers.length - existing;
        return {
          image: image.name,
          status: unpacked > 0 ? "unpacked" as const : "exists" as const,
          unpacked,
          existing,
          snapshotter: result.snapshotter,
          chainId: result.chainId,
        };
      },
    });
  },
});
