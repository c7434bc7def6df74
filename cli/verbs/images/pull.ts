import { NoSuchPlatformError, pullImages, type PullResult } from "../../../mod.ts";
import { CliError, UsageError } from "../../errors.ts";
import { parseLabels } from "../../labels.ts";
import { isAlive, thisOwner } from "../../owner.ts";
import { registryOptions } from "../../registry_options.ts";
import { unpackOptions } from "../../unpack_options.ts";
import { defineVerb } from "../../verb.ts";

type Row = Omit<PullResult, "error" | "isKept">;

export default defineVerb({
  summary: "Pull images from registries, and unpack them",
  examples: [
    "images pull busybox",
    "-n k8s.io images pull registry.example.com/app:1 registry.example.com/sidecar:1",
    "images pull registry.example.com/app:1 --user ci --password-stdin < token",
  ],
  args: [{ name: "REF", summary: "reference, short ones as docker has them", repeats: true }],
  options: {
    platform: {
      type: "list",
      commas: true,
      placeholder: "OS/ARCH",
      summary: "only these platforms, and unpack them [this machine's]",
    },
    allPlatforms: { type: "boolean", summary: "all platforms; unpacked is this machine's" },
    noUnpack: { type: "boolean", summary: "leave the unpacking to whoever runs an image first" },
    ...unpackOptions,
    label: { type: "list", placeholder: "KEY=VALUE", summary: "label of the images" },
    maxConcurrentDownloads: {
      type: "integer",
      min: 1,
      max: 64,
      default: 3,
      placeholder: "N",
      summary: "blobs that come at once, of all images together",
    },
    ...registryOptions,
  },
  columns: [
    { header: "REF", key: "image" },
    { header: "DIGEST", key: "digest" },
    { header: "SIZE", key: "size", as: "bytes" },
    { header: "STATUS", key: "status" },
    { header: "MOVED", key: "bytesMoved", as: "bytes" },
    { header: "CHAIN ID", key: "chainIds", as: "list" },
    { header: "DOWNLOADED", key: "downloaded", wide: true },
    { header: "SHARED", key: "shared", wide: true },
    { header: "EXISTING", key: "existing", wide: true },
    { header: "SNAPSHOTTER", key: "snapshotter", wide: true },
  ],
  repeatable: true,
  async *run(context): AsyncIterable<Row> {
    const { args, options, namespaced, log, progress, failed, signal } = context;
    const { platform: platforms, allPlatforms, noUnpack, label, maxConcurrentDownloads } = options;
    if (platforms.length > 0 && allPlatforms) {
      throw new UsageError("Cannot use --platform with --all-platforms: they contradict each other");
    }
    const labels = parseLabels(label);
    await using registry = await context.registry(args[0]!, options);
    const results = pullImages(await namespaced(), args, {
      ...{ registry, platforms, allPlatforms, unpack: !noUnpack, labels },
      snapshotter: options.snapshotter ?? context.snapshotter,
      downloadsAtOnce: maxConcurrentDownloads,
      isAlive: async (owner) => isAlive(owner, await thisOwner()),
      onProgress: progress,
      signal,
    });
    for await (const { error, isKept, ...row } of results) {
      const { image, reason } = row;
      if (error !== undefined) failed(withHint(error));
      else if (reason !== undefined) log.warn(`Image ${JSON.stringify(image)}: ${reason}`);
      if (isKept) {
        log.info(`What came of image ${JSON.stringify(image)} is kept for a day: pull it again to go on`);
      }
      if (error === undefined) yield row;
    }
  },
});

function withHint(error: unknown): unknown {
  if (!(error instanceof NoSuchPlatformError)) return error;
  const { message, code } = error;
  return new CliError(message, {
    code,
    hint: "--platform OS/ARCH names another one, --all-platforms takes all",
    cause: error,
  });
}
