/** Pulling as verbs do it: what came of each image, and what to do about those that failed. */
import { NoSuchPlatformError, pullImages, type PullOptions, type PullResult } from "../mod.ts";
import { CliError, UsageError } from "./errors.ts";
import { parseLabels } from "./labels.ts";
import { isAlive, thisOwner } from "./owner.ts";
import type { pullOptions } from "./pull_options.ts";
import type { Column, VerbContext } from "./verb.ts";

/** What came of an image. */
export type PulledRow = Omit<PullResult, "error" | "isKept">;

/** The same without what is said about unpacking. */
export type FetchedRow = Omit<PulledRow, "chainIds" | "snapshotter" | "reason">;

/** The beginning of a table of images that were pulled. */
export const pulledColumns: readonly Column<keyof FetchedRow>[] = [
  { header: "REF", key: "image" },
  { header: "DIGEST", key: "digest" },
  { header: "SIZE", key: "size", as: "bytes" },
  { header: "STATUS", key: "status" },
  { header: "MOVED", key: "bytesMoved", as: "bytes" },
];

/** What wide tables have beyond. */
export const widePulledColumns: readonly Column<keyof FetchedRow>[] = [
  { header: "DOWNLOADED", key: "downloaded", wide: true },
  { header: "SHARED", key: "shared", wide: true },
  { header: "EXISTING", key: "existing", wide: true },
];

/** Pulls the images that the arguments name; of those that fail the run is told. */
export async function* pullNamed(
  context: VerbContext<typeof pullOptions>,
  how: Pick<PullOptions, "unpack" | "snapshotter" | "metadataOnly">,
): AsyncIterable<PulledRow> {
  const { args, options, namespaced, log, progress, failed, signal } = context;
  const { platform: platforms, allPlatforms, label, maxConcurrentDownloads } = options;
  if (platforms.length > 0 && allPlatforms) {
    throw new UsageError("Cannot use --platform with --all-platforms: they contradict each other");
  }
  const labels = parseLabels(label);
  await using registry = await context.registry(args[0]!, options);
  const results = pullImages(await namespaced(), args, {
    ...{ registry, platforms, allPlatforms, labels },
    ...how,
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
}

function withHint(error: unknown): unknown {
  if (!(error instanceof NoSuchPlatformError)) return error;
  const { message, code } = error;
  return new CliError(message, {
    code,
    hint: "--platform OS/ARCH names another one, --all-platforms takes all",
    cause: error,
  });
}
