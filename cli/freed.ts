import type { Freed } from "../mod.ts";
import { formatBytes } from "./format.ts";

/** What a collection frees, in words. */
export function describeFreed({ blobs, contentBytes, snapshots, snapshotBytes }: Freed): string {
  return `${formatBytes(contentBytes)} in ${blobs} blobs and ` +
    `${formatBytes(snapshotBytes)} in ${snapshots} snapshots`;
}
