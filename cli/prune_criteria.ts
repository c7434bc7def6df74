import type { Options, OptionValues } from "../mod.ts";
import { UsageError } from "./errors.ts";

/** The flags of `images prune` that say which images may go. */
export const criteria = {
  keepLast: {
    type: "integer",
    min: 0,
    placeholder: "N",
    summary: "not the newest N tags of each repository",
  },
  order: {
    type: "string",
    choices: ["time", "semver", "natural"],
    default: "time",
    summary: "what the newest of them are",
  },
  keepWithin: { type: "duration", summary: "not those whose name was set within this time" },
  olderThan: { type: "duration", summary: "only those whose name was set longer ago" },
  unused: { type: "boolean", summary: "only those that no container uses" },
  platform: {
    type: "list",
    commas: true,
    placeholder: "OS/ARCH",
    summary: "only those that are complete for these platforms and no other",
  },
  maxBytes: {
    type: "size",
    summary: "as many as it takes, oldest first, for the others to fit; each namespace by itself",
  },
} as const satisfies Options;

/** @throws {UsageError} when nothing says which images may go: all would have to. */
export function requireCriterion(
  { keepLast, keepWithin, olderThan, unused, platform, maxBytes }: OptionValues<typeof criteria>,
): void {
  if (unused || platform.length > 0) return;
  if ([keepLast, keepWithin, olderThan, maxBytes].some((value) => value !== undefined)) return;
  throw new UsageError(
    "Cannot prune images: nothing says which may go",
    "give --unused, --older-than, --keep-within, --keep-last, --platform or --max-bytes; all that are given must agree",
  );
}
