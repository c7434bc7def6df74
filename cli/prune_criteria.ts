import { UsageError } from "./errors.ts";

/** @throws {UsageError} when nothing says which images may go: all would have to. */
export function requireCriterion(
  { keepLast, keepWithin, olderThan, unused, platform, maxBytes }: Criteria,
): void {
  if (unused || platform.length > 0) return;
  if ([keepLast, keepWithin, olderThan, maxBytes].some((value) => value !== undefined)) return;
  throw new UsageError(
    "Cannot prune images: nothing says which may go",
    "give --unused, --older-than, --keep-within, --keep-last, --platform or --max-bytes; all that are given must agree",
  );
}

/** The flags of `images prune` of which one has to be there. */
interface Criteria {
  keepLast: number | undefined;
  keepWithin: number | undefined;
  olderThan: number | undefined;
  unused: boolean;
  platform: readonly string[];
  maxBytes: number | undefined;
}
