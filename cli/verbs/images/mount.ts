import { resolve } from "@std/path";
import { type MountedImage, mountImage } from "../../../mod.ts";
import { requireImage } from "../../elsewhere.ts";
import { mountAt } from "../../mount.ts";
import { unpackOptions } from "../../unpack_options.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Mount the files of an image at a folder of this machine, to read them",
  examples: ["images mount busybox /mnt", "images mount example.com/app:1 /mnt --rw"],
  args: [
    {
      name: "NAME",
      summary: "image; a short name like busybox also finds the full one",
      completes: "image",
    },
    { name: "TARGET", summary: "folder that exists", completes: "file" },
  ],
  options: {
    rw: { type: "boolean", summary: "files can be changed; the image stays as it is" },
    platform: {
      type: "string",
      placeholder: "OS/ARCH",
      summary: "which one of its platforms [this machine's]",
    },
    ...unpackOptions,
    expires: {
      type: "duration",
      default: 24 * 60 * 60 * 1000,
      summary: "after that containerd may take the files away",
    },
  },
  columns: [
    { header: "TARGET", key: "target" },
    { header: "REF", key: "image" },
    { header: "SNAPSHOTTER", key: "snapshotter" },
    { header: "CHAIN ID", key: "chainId" },
  ],
  async run(context): Promise<MountedImage> {
    const { args: [name = "", folder = ""], options, namespaced, progress, signal } = context;
    const client = await namespaced();
    const image = await requireImage(client, { name, action: "mount", context });
    const target = resolve(folder);
    const { isDirectory } = await Deno.stat(target).catch(() => ({ isDirectory: false }));
    if (!isDirectory) throw new SyntaxError(`Cannot mount at ${JSON.stringify(folder)}: it is no folder`);
    return await mountImage(client, image, {
      target,
      writable: options.rw,
      platform: options.platform,
      snapshotter: options.snapshotter ?? context.snapshotter,
      expiresInMs: options.expires,
      mount: mountAt,
      onProgress: progress,
      signal,
    });
  },
});
