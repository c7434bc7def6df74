import { type ExportedImage, exportImages, selectImages } from "../../../mod.ts";
import { requireImage } from "../../elsewhere.ts";
import { UsageError } from "../../errors.ts";
import { placeOf, writeFile } from "../../output_file.ts";
import { defineVerb, type VerbContext } from "../../verb.ts";

export default defineVerb({
  summary: "Write images to an archive that containerd and docker read",
  examples: [
    "images export app.tar example.com/app:1",
    "images export - 'example.com/app/**' --platform linux/arm64 | ssh host davit images import -",
  ],
  args: [
    { name: "FILE", summary: "archive to write, a tar; - is stdout", completes: "file" },
    {
      name: "REF",
      summary: "name, glob (* stops at /, ** does not) or filter",
      repeats: true,
      completes: "image",
    },
  ],
  options: {
    platform: {
      type: "list",
      commas: true,
      placeholder: "OS/ARCH",
      summary: "only these platforms, which must be complete; default: all that are",
    },
    allPlatforms: { type: "boolean", summary: "refuse an image of which a platform is not complete" },
  },
  columns: [
    { header: "REF", key: "image" },
    { header: "DIGEST", key: "digest" },
    { header: "PLATFORMS", key: "platforms", as: "list" },
    { header: "SIZE", key: "size", as: "bytes" },
    { header: "MISSING", key: "missing", as: "list", wide: true },
  ],
  bytes: ([file]) => file === "-",
  async run(context): Promise<ExportedImage[] | AsyncIterable<Uint8Array>> {
    const { args: [file = "-", ...patterns], outputIsTerminal } = context;
    if (file === "-" && outputIsTerminal) {
      throw new UsageError("Cannot write an archive to a terminal", "name a file, or redirect the output");
    }
    if (file === "-") return archive(context, patterns);
    await placeOf(file);
    let images: ExportedImage[] = [];
    await writeFile(file, archive(context, patterns, (exported) => images = exported));
    return images;
  },
});

type Context = VerbContext & { options: { platform: readonly string[]; allPlatforms: boolean } };

async function* archive(
  context: Context,
  patterns: readonly string[],
  tell: (images: ExportedImage[]) => void = () => {},
): AsyncIterable<Uint8Array> {
  const { options: { platform: platforms, allPlatforms }, namespaced, log, progress, signal } = context;
  if (platforms.length > 0 && allPlatforms) {
    throw new UsageError("Cannot use --platform with --all-platforms: they contradict each other");
  }
  const client = await namespaced();
  const { images, unmatched } = await selectImages(client, patterns, { signal });
  const names = images.map(({ name }) => name);
  for (const name of unmatched) {
    names.push((await requireImage(client, { name, action: "export", context })).name);
  }
  await using archive = await exportImages(client, names, {
    platforms,
    allPlatforms,
    onProgress: progress,
    signal,
  });
  for (const { image, missing } of archive.images) {
    if (missing.length > 0) {
      log.warn(`Image ${JSON.stringify(image)} lacks ${missing.join(", ")}: not exported`);
    }
  }
  tell(archive.images);
  yield* archive;
}
