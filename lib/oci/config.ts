import { isDigest } from "./descriptor.ts";
import type { DocumentSource } from "./document.ts";
import { JsonObject } from "./json.ts";
import { type Platform, readPlatform } from "./platform.ts";
import { quoted } from "./quoted.ts";

/**
 * What an image says of itself.
 *
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md}
 */
export interface ImageConfig {
  /** As written, not in normal form; parts that are missing are empty. */
  platform: Platform;
  /** When it was built, by its own account; absent when it does not say. */
  created?: Date;
  /** Who takes the responsibility; absent when it does not say. */
  author?: string;
  /** By key, as its builder set them; those of its record in containerd are others. */
  labels: Record<string, string>;
  /** The digests of the layers' uncompressed archives, the base first. */
  diffIds: string[];
  /** One entry per build step, the oldest first. */
  history: HistoryEntry[];
}

/** One step of an image's build. */
export interface HistoryEntry {
  /** When the step was done; absent when it does not say. */
  created?: Date;
  /** The command of the step, with `#(nop)` before it in older ones that ran none. */
  createdBy?: string;
  /** Who wrote the step. */
  author?: string;
  /** What somebody said about the step: `buildkit.dockerfile.v0`. */
  comment?: string;
  /** Whether the step made no layer. */
  emptyLayer: boolean;
}

/**
 * Parses an image's configuration.
 *
 * @throws {SyntaxError} when it is malformed, ambiguous or too large.
 */
export function parseConfig(bytes: Uint8Array, { digest }: Pick<DocumentSource, "digest"> = {}): ImageConfig {
  const json = JsonObject.parse(
    bytes,
    digest === undefined ? "image config" : `image config ${quoted(digest)}`,
  );
  const created = readDate(json);
  const author = json.string("author");
  const rootfs = json.object("rootfs");
  return {
    platform: readPlatform(json),
    ...(created && { created }),
    ...(author && { author }),
    labels: json.object("config")?.stringMap("Labels") ?? {},
    diffIds: rootfs === undefined ? [] : readDiffIds(rootfs),
    history: (json.objects("history") ?? []).map(readHistoryEntry),
  };
}

function readHistoryEntry(json: JsonObject): HistoryEntry {
  const created = readDate(json);
  const createdBy = json.string("created_by");
  const author = json.string("author");
  const comment = json.string("comment");
  return {
    ...(created && { created }),
    ...(createdBy && { createdBy }),
    ...(author && { author }),
    ...(comment && { comment }),
    emptyLayer: json.boolean("empty_layer") ?? false,
  };
}

function readDiffIds(rootfs: JsonObject): string[] {
  const diffIds = rootfs.strings("diff_ids") ?? [];
  for (const [i, diffId] of diffIds.entries()) {
    if (!isDigest(diffId)) throw rootfs.error(`diff_ids[${i}]`, `is malformed: ${quoted(diffId)}`);
  }
  return diffIds;
}

function readDate(json: JsonObject): Date | undefined {
  const text = json.string("created");
  if (text === undefined) return undefined;
  const date = new Date(text);
  const isRfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.test(text);
  if (!isRfc3339 || Number.isNaN(date.getTime())) {
    throw json.error("created", `is not a time: ${quoted(text)}`);
  }
  return date;
}
