import { Limiter } from "../concurrency.ts";
import type { Content } from "../content.ts";
import { ContainerdError, containerdError, FailedPreconditionError } from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { hasChildren } from "../oci/media_types.ts";
import { quoted } from "../oci/quoted.ts";
import { formatReference, type Reference } from "../oci/reference.ts";
import { itemName, type ItemState, type ProgressReport } from "../progress.ts";
import type { Registry } from "../registry/registry.ts";
import type { CallOptions } from "../transport/transport.ts";
import { lacking, sourceLabel } from "./copy_labels.ts";
import type { Look } from "./pull_look.ts";

/** How a blob came to be in a namespace. */
export interface PulledBlob {
  /** It was there; another namespace had it; it came from the registry. */
  state: "exists" | "shared" | "done";
  /** Bytes from the registry. */
  bytesMoved: number;
}

/** Why a blob stops coming: its image failed. */
class Unwanted extends Error {
  override name = "Unwanted";
  /** Whether the image may come later; then what was written of the blob stays. */
  readonly isTemporary: boolean;

  constructor(isTemporary: boolean) {
    super("The image failed");
    this.isTemporary = isTemporary;
  }
}

interface Blob {
  came: Promise<PulledBlob>;
  /** Images that still want it, by name. */
  wantedBy: Set<string>;
  controller: AbortController;
}

/** What containerd allows a key and its value to have together. */
const maxLabelBytes = 4096;

/** Brings blobs from registries into one namespace, each once however many images share it. */
export class BlobPuller {
  readonly #content: Content;
  readonly #registry: Registry;
  readonly #look: Look;
  readonly #report: ProgressReport;
  readonly #options: CallOptions;
  readonly #limiter: Limiter;
  readonly #blobs = new Map<string, Blob>();

  /** The lease of `content` holds what comes, and what was there. */
  constructor(
    { content, registry, look, report, atOnce, options }: {
      content: Content;
      registry: Registry;
      look: Look;
      report: ProgressReport;
      atOnce: number;
      options: CallOptions;
    },
  ) {
    this.#content = content;
    this.#registry = registry;
    this.#look = look;
    this.#report = report;
    this.#options = options;
    this.#limiter = new Limiter(atOnce);
  }

  /**
   * Sees to it that the namespace has a blob, labelled with the repository of `reference`. Of several images that want
   * it, the first one gets it and for the others it exists.
   */
  async pull(descriptor: Descriptor, reference: Reference): Promise<PulledBlob> {
    const name = formatReference(reference);
    const key = `${descriptor.digest} ${descriptor.size}`;
    const labels = sourceLabels(reference);
    this.report(descriptor, reference, "waiting");
    const known = this.#blobs.get(key);
    try {
      if (known === undefined) return await this.#first(key, { descriptor, reference, labels });
      known.wantedBy.add(name);
      await known.came;
      await this.#complete(descriptor, labels, this.#options);
      this.report(descriptor, reference, "exists");
      return { state: "exists", bytesMoved: 0 };
    } catch (error) {
      this.report(descriptor, reference, "failed");
      throw withImage(error, { name, descriptor });
    }
  }

  /** An image no longer wants its blobs: those that nobody else wants stop coming. What came stays if it may be of use. */
  release(reference: Reference, { isTemporary }: { isTemporary: boolean }): void {
    const name = formatReference(reference);
    for (const [key, { wantedBy, controller }] of this.#blobs) {
      if (!wantedBy.delete(name) || wantedBy.size > 0) continue;
      this.#blobs.delete(key);
      controller.abort(new Unwanted(isTemporary));
    }
  }

  report(descriptor: Descriptor, reference: Reference, state: ItemState, done?: number): void {
    const image = formatReference(reference);
    const counts = done === undefined ? {} : { done, total: descriptor.size };
    this.#report.items({ image, name: itemName(descriptor), state, ...counts });
  }

  #first(key: string, want: Want): Promise<PulledBlob> {
    const controller = new AbortController();
    const { signal } = this.#options;
    const options = {
      ...this.#options,
      signal: signal ? AbortSignal.any([signal, controller.signal]) : controller.signal,
    };
    const came = this.#bring(want, options);
    this.#blobs.set(key, { came, wantedBy: new Set([formatReference(want.reference)]), controller });
    return came;
  }

  async #bring({ descriptor, reference, labels }: Want, options: CallOptions): Promise<PulledBlob> {
    const { digest, size } = descriptor;
    const { existed, sentBytes } = await this.#limiter.run(
      () =>
        this.#content.write(
          { digest, size, labels },
          (offset) => this.#bytes(descriptor, { reference, offset, options }),
          options,
        ),
      options.signal,
    );
    const state = existed ? "exists" : sentBytes === 0 && size > 0 ? "shared" : "done";
    if (existed) await this.#complete(descriptor, labels, options);
    this.report(descriptor, reference, state, size);
    return { state, bytesMoved: sentBytes };
  }

  async *#bytes(
    descriptor: Descriptor,
    { reference, offset, options: { signal } }: {
      reference: Reference;
      offset: number;
      options: CallOptions;
    },
  ): AsyncIterable<Uint8Array> {
    this.report(descriptor, reference, "downloading", offset);
    const known = this.#look.take(descriptor);
    if (known) {
      yield known.subarray(offset);
      return;
    }
    if (hasChildren(descriptor.mediaType)) {
      yield (await this.#registry.manifest(reference, descriptor, { signal })).subarray(offset);
      return;
    }
    let done = offset;
    for await (const piece of this.#registry.blob(reference, descriptor, { offset, signal })) {
      yield piece;
      done += piece.length;
      this.report(descriptor, reference, "downloading", done);
    }
  }

  /** containerd ignores the labels of a write when the blob is there, and its size. */
  async #complete(
    { digest, size }: Descriptor,
    labels: Record<string, string>,
    options: CallOptions,
  ): Promise<void> {
    const info = await this.#content.info(digest, options);
    if (info.size !== size) throw new SyntaxError(`it has ${info.size} bytes, not ${size} as is said of it`);
    const change = Object.entries(lacking(labels, info.labels))
      .filter(([key, value]) => key.length + value.length <= maxLabelBytes);
    if (change.length > 0) {
      await this.#content.update(digest, { labels: Object.fromEntries(change), ...options });
    }
  }
}

interface Want {
  descriptor: Descriptor;
  reference: Reference;
  labels: Record<string, string>;
}

/** Where a blob came from: a push to the same registry need not send it. */
function sourceLabels({ domain, path }: Reference): Record<string, string> {
  return { [sourceLabel(domain)]: path };
}

/** A failure to write content as one of the image that it belongs to. */
function withImage(error: unknown, { name, descriptor }: { name: string; descriptor: Descriptor }): unknown {
  const { digest } = descriptor;
  const resource = `image ${quoted(name)}`;
  if (error instanceof SyntaxError) {
    return new SyntaxError(`Cannot pull ${resource}: content ${digest}: ${error.message}`, { cause: error });
  }
  if (!(error instanceof ContainerdError)) return error;
  const isWrong = error instanceof FailedPreconditionError && error.method?.endsWith("/Write");
  const what = isWrong ? `what the registry sends as ${digest} is something else` : `content ${digest}`;
  return containerdError({
    ...error.details,
    ...isWrong && { code: "data_loss" as const },
    action: "pull",
    resource,
    reason: `${what}: ${error.reason}`,
  }, { cause: error });
}
