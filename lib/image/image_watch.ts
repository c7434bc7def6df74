import type { NamespacedClient } from "../client.ts";
import { ContainerdError } from "../errors.ts";
import type { Image } from "../images.ts";
import type { CallOptions } from "../transport/transport.ts";

/** What happened to one name since it is watched. */
interface Watched {
  /** How often it was set. */
  sets: number;
  /** What it was when it was last set, unless it was gone by the time we looked. */
  lastSet: Promise<Image | undefined>;
  /** When it was deleted, and how often it had been set by then. */
  deletions: { at: number; sets: number }[];
}

/** How to watch. */
export interface WatchOptions extends CallOptions {
  /** Called with what a watched name was set to, once that is known. */
  onSet: (image: Image) => Promise<void>;
}

/**
 * Watches what others do to images that we are about to delete. Events come in the order of what they tell of, and say
 * which name was set but not to what: that has to be looked up at once. A watch that breaks off has seen nothing more.
 */
export class ImageWatch implements AsyncDisposable {
  readonly #client: NamespacedClient;
  readonly #options: WatchOptions;
  readonly #ending = new AbortController();
  readonly #watched = new Map<string, Watched>();
  readonly #set = new Set<string>();
  readonly #watching: Promise<void>;

  constructor(client: NamespacedClient, options: WatchOptions) {
    this.#client = client;
    this.#options = options;
    this.#watching = this.#watch();
  }

  /** Begins to watch a name. */
  add(name: string): void {
    this.#watched.set(name, { sets: 0, lastSet: Promise.resolve(undefined), deletions: [] });
  }

  /** Ends to watch a name, of which no more needs to be known. */
  drop(name: string): void {
    this.#watched.delete(name);
    this.#set.delete(name);
  }

  /** The watched names that were set. */
  get set(): readonly string[] {
    return [...this.#set];
  }

  /** Whether a name was set before it was deleted by a call that was answered at `answeredAt`, ms since the epoch. */
  wasSetBefore(name: string, answeredAt: number): boolean {
    const deletion = this.#watched.get(name)?.deletions.findLast(({ at }) => at <= answeredAt);
    return deletion !== undefined && deletion.sets > 0;
  }

  /** What a name was when it was last set; `undefined` when it was gone by the time we looked. */
  async lastSet(name: string): Promise<Image | undefined> {
    return await this.#watched.get(name)?.lastSet;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#watching;
    await Promise.all([...this.#watched.values()].map(({ lastSet }) => lastSet));
  }

  async #watch(): Promise<void> {
    const { signal: outer } = this.#options;
    const signal = outer === undefined ? this.#ending.signal : AbortSignal.any([this.#ending.signal, outer]);
    const filters = ['topic~="^/images/"'];
    try {
      for await (const { topic, timestamp, details } of this.#client.events.subscribe({ filters, signal })) {
        this.#note(String(details.name), { topic, at: timestamp.getTime() });
      }
    } catch (error) {
      // Without events there is less to go by, which is no reason to do nothing.
      if (!signal.aborted && !(error instanceof ContainerdError)) throw error;
    }
  }

  #note(name: string, { topic, at }: { topic: string; at: number }): void {
    const watched = this.#watched.get(name);
    if (watched === undefined) return;
    if (topic === "/images/delete") {
      watched.deletions.push({ at, sets: watched.sets });
    } else {
      watched.sets++;
      this.#set.add(name);
      watched.lastSet = this.#look(name, watched.lastSet);
    }
  }

  /** What the name is now, and what it was before if it is gone again. */
  async #look(name: string, before: Promise<Image | undefined>): Promise<Image | undefined> {
    const { signal, timeoutMs, onSet } = this.#options;
    try {
      const image = await this.#client.images.get(name, { signal, timeoutMs });
      await onSet(image);
      return image;
    } catch {
      return await before;
    }
  }
}
