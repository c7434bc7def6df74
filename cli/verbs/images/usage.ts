import { FailedPreconditionError, imageUsage, type LayerUsage } from "../../../mod.ts";
import { requireImage } from "../../elsewhere.ts";
import { CliError } from "../../errors.ts";
import { unpackOptions } from "../../unpack_options.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Show what the layers of an unpacked image take of the disk",
  examples: ["images usage busybox", "images usage example.com/app:1 -o wide"],
  args: [{
    name: "NAME",
    summary: "image; a short name like busybox also finds the full one",
    completes: "image",
  }],
  options: {
    platform: {
      type: "string",
      placeholder: "OS/ARCH",
      summary: "which one of its platforms [this machine's]",
    },
    ...unpackOptions,
  },
  columns: [
    { header: "KEY", key: "key" },
    { header: "SIZE", key: "size", as: "bytes" },
    { header: "INODES", key: "inodes" },
    { header: "CONTENT", key: "contentSize", as: "bytes", wide: true },
    { header: "DIGEST", key: "digest", wide: true },
  ],
  async run(context): Promise<LayerUsage[]> {
    const { args: [name = ""], options: { platform, snapshotter }, namespaced, signal } = context;
    const client = await namespaced();
    const image = await requireImage(client, { name, action: "show the usage of", context });
    const where = { platform, snapshotter: snapshotter ?? context.snapshotter };
    return await imageUsage(client, image, { ...where, signal }).catch((error) => {
      if (!(error instanceof FailedPreconditionError)) throw error;
      const hint = `"davit images unpack ${image.name}" unpacks it`;
      throw new CliError(error.message, { code: error.code, hint, cause: error });
    });
  },
});
