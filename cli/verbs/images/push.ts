import { NoSuchPlatformError, pushImage, type PushResult } from "../../../mod.ts";
import { requireImage } from "../../elsewhere.ts";
import { CliError } from "../../errors.ts";
import { registryOptions } from "../../registry_options.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Push an image to a registry",
  examples: [
    "images push registry.example.com/app:1",
    "images push registry.example.com/mirror/busybox:1 busybox",
    "images push registry.example.com/app:1 --platform linux/arm64 --user ci --password-stdin < token",
  ],
  args: [
    { name: "REF", summary: "where it goes", completes: "image" },
    { name: "LOCAL", summary: "image of another name to push", optional: true, completes: "image" },
  ],
  options: {
    platform: {
      type: "string",
      placeholder: "OS/ARCH",
      summary: "the manifest for this platform alone, instead of the index of all",
    },
    maxConcurrentUploads: {
      type: "integer",
      min: 1,
      max: 64,
      default: 3,
      placeholder: "N",
      summary: "blobs that go at once",
    },
    ...registryOptions,
  },
  columns: [
    { header: "REF", key: "reference" },
    { header: "DIGEST", key: "digest" },
    { header: "SIZE", key: "size", as: "bytes" },
    { header: "MOVED", key: "bytesMoved", as: "bytes" },
    { header: "UPLOADED", key: "uploaded", wide: true },
    { header: "MOUNTED", key: "mounted", wide: true },
    { header: "EXISTING", key: "existing", wide: true },
    { header: "IMAGE", key: "image", wide: true },
  ],
  repeatable: true,
  async run(context): Promise<PushResult> {
    const { args: [reference = "", name = reference], options, namespaced, progress, signal } = context;
    const client = await namespaced();
    const image = await requireImage(client, { name, action: "push", context });
    await using registry = await context.registry(reference, options);
    try {
      return await pushImage(client, { image, reference }, {
        registry,
        platform: options.platform,
        uploadsAtOnce: options.maxConcurrentUploads,
        onProgress: progress,
        signal,
      });
    } catch (error) {
      throw options.platform === undefined ? withHint(error) : error;
    }
  },
});

/** Few pull all platforms and attestations of an image, and registries take no index without them. */
function withHint(error: unknown): unknown {
  const isPartial = error instanceof Error && / its \S+ lacks content /.test(error.message);
  if (!isPartial || error instanceof NoSuchPlatformError) return error;
  return new CliError(error.message, {
    code: "not_found",
    hint:
      "--platform OS/ARCH pushes the manifest for one platform alone; images pull --all-platforms brings the rest",
    cause: error,
  });
}
