import type { Descriptor } from "./oci/descriptor.ts";
import { isConfig, isIndex, isLayer, isManifest } from "./oci/media_types.ts";

/** How far the work is. */
export interface Progress {
  /** What is being worked on: `copying`. */
  task: string;
  /** How much is done; see `unit`. */
  done: number;
  /** Absent while unknown. */
  total?: number;
  /** What `done` and `total` count; bytes are shown as sizes. Default: pieces of work. */
  unit?: "bytes";
  /** What the work consists of, as far as it is new or has changed since the last report. */
  items?: readonly ItemProgress[];
}

/** One piece of the work on an image: a blob, a layer. */
export interface ItemProgress {
  /** Items of one image are shown together. */
  image: string;
  /** Tells it from the image's other items: `layer 3f4a5b6c7d8e`. */
  name: string;
  /** Where in the work it is. */
  state: ItemState;
  /** Bytes; absent where they do not change or nobody counts them. */
  done?: number;
  /** Bytes in all; absent while unknown. */
  total?: number;
}

/** Not begun; under way; over. `"exists"`: was there before. `"shared"`: came from another namespace without being moved. */
export type ItemState = typeof itemStates[number];

/** Every {@linkcode ItemState}, in the order in which an item may go through them. */
export const itemStates = [
  "waiting",
  "reading",
  "downloading",
  "uploading",
  "writing",
  "unpacking",
  "exists",
  "shared",
  "done",
  "failed",
] as const;

/** What an item is called that is about a blob: what it is and the start of its digest, `layer 3f4a5b6c7d8e`. */
export function itemName({ mediaType, digest }: Pick<Descriptor, "mediaType" | "digest">): string {
  return `${kindOf(mediaType)} ${digest.slice(digest.indexOf(":") + 1).slice(0, 12)}`;
}

/** Reports the items of an operation together with the sum of their bytes. */
export class ProgressReport {
  readonly #task: string;
  readonly #onProgress: (state: Progress) => void;
  readonly #moved = new Map<string, { done: number; total: number }>();
  #done = 0;
  #total = 0;

  constructor(task: string, onProgress: (state: Progress) => void = () => {}) {
    this.#task = task;
    this.#onProgress = onProgress;
  }

  /** Reports items that are new or have changed. What `exists` or is `shared` was not moved and does not count. */
  items(...items: ItemProgress[]): void {
    for (const item of items) this.#count(item);
    this.#onProgress({ task: this.#task, done: this.#done, total: this.#total, unit: "bytes", items });
  }

  #count({ image, name, state, done, total }: ItemProgress): void {
    const key = `${image}\n${name}`;
    const before = this.#moved.get(key) ?? { done: 0, total: 0 };
    const isMoved = state !== "exists" && state !== "shared";
    const now = isMoved ? { done: done ?? before.done, total: total ?? before.total } : { done: 0, total: 0 };
    this.#moved.set(key, now);
    this.#done += now.done - before.done;
    this.#total += now.total - before.total;
  }
}

function kindOf(mediaType: string): string {
  if (isIndex(mediaType)) return "index";
  if (isManifest(mediaType)) return "manifest";
  if (isConfig(mediaType)) return "config";
  return isLayer(mediaType) ? "layer" : "blob";
}
