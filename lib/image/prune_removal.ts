import type { NamespacedClient } from "../client.ts";
import { AlreadyExistsError, type ContainerdError, containerdError, NotFoundError } from "../errors.ts";
import type { Image } from "../images.ts";
import { isContainerd2 } from "../introspection.ts";
import type { HeldLease } from "../leases.ts";
import { quoted } from "../oci/quoted.ts";
import type { RetentionDecision } from "../selection/retention.ts";
import type { CallOptions } from "../transport/transport.ts";
import { ImageWatch } from "./image_watch.ts";

/** What became, or is to become, of an image. */
export interface PruneDecision extends RetentionDecision {
  /** The namespace of the image. */
  namespace: string;
}

/** What became of an image that was to be removed. */
export interface PruneResult extends PruneDecision {
  /** What became of it; `"kept"` also where `action` is `"remove"` and something came between. */
  status: "kept" | "removed" | "failed";
  /** Why it failed. */
  error?: unknown;
}

/** An image that is gone, as it was when we last looked. */
interface Removed {
  decision: PruneDecision;
  image: Image;
  /** When containerd said that it had deleted it, ms since the epoch. */
  answeredAt: number;
}

/** Of leases that hold what is about to be removed. */
const labels = { "davit/operation": "images prune" };

/**
 * Removes images of one namespace, and loses nothing that others make of them meanwhile: until it is disposed of, a
 * lease holds what they pointed to, and a name that somebody set between our look and its deletion is put back.
 */
export class Removal implements AsyncDisposable {
  readonly #client: NamespacedClient;
  readonly #lease: HeldLease;
  readonly #watch: ImageWatch;
  readonly #removed = new Map<string, Removed>();
  readonly #options: CallOptions;
  #slowestMs = 0;

  private constructor(client: NamespacedClient, lease: HeldLease, options: CallOptions) {
    this.#client = client;
    this.#lease = lease;
    this.#options = options;
    this.#watch = new ImageWatch(client, { onSet: ({ target }) => this.#hold(target.digest), ...options });
  }

  /** Begins to remove images. */
  static async begin(client: NamespacedClient, options: CallOptions): Promise<Removal> {
    const lease = await client.leases.acquire({ prefix: "davit-prune", labels }, options);
    return new Removal(client, lease, options);
  }

  /** How long the removal that took longest took, in milliseconds. */
  get slowestMs(): number {
    return this.#slowestMs;
  }

  /** Removes an image, unless its name was set anew since the decision. */
  async remove(decision: PruneDecision): Promise<PruneResult> {
    const began = performance.now();
    try {
      return await this.#remove(decision);
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      if (error instanceof NotFoundError) {
        return { ...decision, status: "kept", reason: "gone, or set anew meanwhile" };
      }
      return { ...decision, status: "failed", error };
    } finally {
      this.#slowestMs = Math.max(this.#slowestMs, performance.now() - began);
    }
  }

  /** Puts back what is known by now to have been set anew between our look and the deletion. */
  async *putBack(): AsyncIterable<PruneResult> {
    for (const name of this.#watch.set) {
      const removed = this.#removed.get(name);
      if (removed === undefined || !this.#watch.wasSetBefore(name, removed.answeredAt)) continue;
      this.#removed.delete(name);
      try {
        await this.#restore(removed);
        yield { ...removed.decision, status: "kept", reason: "set anew meanwhile, and put back" };
      } catch (error) {
        this.#options.signal?.throwIfAborted();
        yield { ...removed.decision, status: "failed", error };
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watch[Symbol.asyncDispose]();
    await this.#lease[Symbol.asyncDispose]();
  }

  async #remove(decision: PruneDecision): Promise<PruneResult> {
    const { name, target, updatedAt } = decision.image;
    this.#watch.add(name);
    await this.#hold(target.digest);
    const image = await this.#client.images.get(name, this.#options);
    if (image.target.digest !== target.digest || image.updatedAt > updatedAt) {
      this.#watch.drop(name);
      return { ...decision, status: "kept", reason: "set anew meanwhile" };
    }
    await this.#client.images.delete(name, { target, ...this.#options });
    this.#removed.set(name, { decision, image, answeredAt: Date.now() });
    return { ...decision, status: "removed" };
  }

  async #restore({ image: { name, target, labels } }: Removed): Promise<void> {
    const { images, content } = this.#client;
    // Where containerd compares, what it deleted still had the same target.
    const image = await this.#watch.lastSet(name) ??
      (await this.#compares() ? { target, labels } : this.#lost(name));
    await this.#hold(image.target.digest);
    if (await content.find(image.target.digest, this.#options) === undefined) this.#lost(name);
    try {
      await images.create({ name, target: image.target, labels: image.labels }, this.#options);
    } catch (error) {
      if (!(error instanceof AlreadyExistsError)) throw error; // somebody was faster
    }
  }

  async #hold(digest: string): Promise<void> {
    await this.#client.leases.addResource(this.#lease.id, { id: digest, type: "content" }, this.#options);
  }

  /** containerd 2 deletes a name only if it still points where we think; older ones delete it all the same. */
  async #compares(): Promise<boolean> {
    const { version } = await this.#client.introspection.version(this.#options);
    return isContainerd2(version);
  }

  #lost(name: string): never {
    throw lost(name, this.#client.name);
  }
}

function lost(name: string, namespace: string): ContainerdError {
  return containerdError({
    code: "aborted",
    reason: "somebody pointed it elsewhere at the very moment of its removal, and has to do so once more",
    outcome: "unknown",
    action: "put back",
    resource: `image ${quoted(name)}`,
    namespace,
  });
}
