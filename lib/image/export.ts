import type { NamespacedClient } from "../client.ts";
import { mapConcurrent } from "../concurrency.ts";
import { containerdError, NotFoundError, PermissionDeniedError } from "../errors.ts";
import type { Image } from "../images.ts";
import type { HeldLease } from "../leases.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { quoted } from "../oci/quoted.ts";
import { itemName, type Progress, ProgressReport } from "../progress.ts";
import type { CallOptions } from "../transport/transport.ts";
import { type ArchiveEntry, archiveSize, writeArchive } from "./archive_write.ts";
import { blobPath, descriptionsOf } from "./export_layout.ts";
import { planExport, type PlannedImage, type PlatformChoice } from "./export_plan.ts";
import { selectImages } from "./select.ts";
import { findImage } from "./tag.ts";

/** An image in an archive. */
export interface ExportedImage {
  /** Its name in the namespace, which the archive says too. */
  image: string;
  /** What the image points to: `sha256:…`. */
  digest: string;
  /** Those that the archive has. */
  platforms: string[];
  /** Those that it lacks because the namespace does not have all of them. */
  missing: string[];
  /** Bytes of all its blobs; what images have in common counts for each. */
  size: number;
}

/** How to export. */
export interface ExportOptions extends CallOptions, PlatformChoice {
  /** Called with the blobs that are read, and their bytes. */
  onProgress?: ((state: Progress) => void) | undefined;
}

/** The bytes of an archive, which can be read once. Reading to the end, breaking off or disposing lets go of the images. */
export interface ImageArchive extends AsyncIterable<Uint8Array>, AsyncDisposable {
  /** What is in it, by name. */
  images: ExportedImage[];
  /** Bytes of the whole archive. */
  size: number;
}

/** Blobs up to this size are read in advance, several at once. */
const smallBytes = 1024 * 1024;

const readsAtOnce = 8;

/**
 * Exports images as a tar archive: an OCI layout that docker loads, too. Images are given by name, short name, glob or
 * filter; all without one. Of an index the platforms are exported that are complete, unless others are asked for; blobs
 * that images have in common are in it once. The same content gives the same bytes.
 *
 * Every blob is held against its digest while it passes; the archive breaks off with an error before the end of one that
 * is damaged. A lease holds the images as long as they are read, where one may be written.
 *
 * ```ts
 * import { exportImages, type NamespacedClient } from "davit";
 *
 * async function example(client: NamespacedClient) {
 *   await using archive = await exportImages(client, ["example.com/app:1"]);
 *   for (const { image, missing } of archive.images) console.log(image, missing);
 *   await Deno.writeFile("app.tar", ReadableStream.from(archive));
 * }
 * ```
 *
 * @throws {NotFoundError} when there is no such image, or it is incomplete.
 * @throws {SyntaxError} when a platform or a document is malformed.
 */
export async function exportImages(
  client: NamespacedClient,
  names: readonly string[],
  { onProgress, platforms, allPlatforms, ...options }: ExportOptions = {},
): Promise<ImageArchive> {
  const images = await imagesNamed(client, names, options);
  const lease = await hold(client, images, options);
  try {
    const plan = await planExport(client, images, { platforms, allPlatforms, ...options });
    return new Archive(client, plan, { lease, onProgress, options });
  } catch (error) {
    await lease?.[Symbol.asyncDispose]();
    throw error;
  }
}

async function imagesNamed(
  client: NamespacedClient,
  names: readonly string[],
  options: CallOptions,
): Promise<Image[]> {
  const { images, unmatched } = await selectImages(client, names, options);
  const found = new Map(images.map((image) => [image.name, image]));
  for (const name of unmatched) {
    const image = await findImage(client, name, options).catch((error) => {
      throw error instanceof NotFoundError ? noSuchImage(client, name) : error;
    });
    found.set(image.name, image);
  }
  return [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Keeps what the images point to from collection, should they be removed meanwhile. Who may only read does without. */
async function hold(
  { leases }: NamespacedClient,
  images: readonly Image[],
  options: CallOptions,
): Promise<HeldLease | undefined> {
  if (images.length === 0) return undefined; // the namespace may not even exist
  const labels = { "davit/operation": "images export" };
  const lease = await leases.acquire({ prefix: "davit-export", labels }, options).catch((error) => {
    if (!(error instanceof PermissionDeniedError)) throw error;
  });
  if (lease === undefined) return undefined;
  try {
    for (const digest of new Set(images.map(({ target }) => target.digest))) {
      await leases.addResource(lease.id, { id: digest, type: "content" }, options);
    }
  } catch (error) {
    await lease[Symbol.asyncDispose]();
    throw error;
  }
  return lease;
}

class Archive implements ImageArchive {
  readonly images: ExportedImage[];
  readonly size: number;
  readonly #client: NamespacedClient;
  readonly #files: ArchiveFile[];
  readonly #report: ProgressReport;
  readonly #options: CallOptions;
  #lease: HeldLease | undefined;

  constructor(
    client: NamespacedClient,
    plan: PlannedImage[],
    { lease, onProgress, options }: {
      lease: HeldLease | undefined;
      onProgress: ExportOptions["onProgress"];
      options: CallOptions;
    },
  ) {
    this.images = plan.map(resultOf);
    this.#client = client;
    this.#files = filesOf(plan);
    this.size = archiveSize(this.#files);
    this.#report = new ProgressReport("exporting", onProgress);
    this.#options = options;
    this.#lease = lease;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    const { signal } = this.#options;
    const items = this.#files.flatMap(({ blob }) => blob ? [itemOf(blob)] : []);
    this.#report.items(...items.map((item) => ({ ...item, state: "waiting" as const })));
    try {
      const work = (file: ArchiveFile) => this.#entryOf(file);
      for await (const bytes of writeArchive(mapConcurrent(this.#files, work, { limit: readsAtOnce }))) {
        signal?.throwIfAborted();
        yield bytes;
      }
    } finally {
      await this[Symbol.asyncDispose]();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const lease = this.#lease;
    this.#lease = undefined;
    await lease?.[Symbol.asyncDispose]();
  }

  async #entryOf({ blob, bytes, ...file }: ArchiveFile): Promise<ArchiveEntry> {
    if (bytes) return { ...file, body: once(bytes) };
    if (!blob) return file;
    const { content } = this.#client;
    const read = blob.descriptor.size <= smallBytes
      ? once(await content.readSmall(blob.descriptor, this.#options))
      : content.readVerified(blob.descriptor, this.#options);
    return { ...file, body: this.#watched(read, blob) };
  }

  async *#watched(pieces: AsyncIterable<Uint8Array>, blob: Blob): AsyncIterable<Uint8Array> {
    const item = itemOf(blob);
    let done = 0;
    for await (const piece of pieces) {
      yield piece;
      done += piece.length;
      this.#report.items({ ...item, state: done < item.total ? "reading" : "done", done });
    }
  }
}

/** A blob and the first image that needs it. */
interface Blob {
  descriptor: Descriptor;
  image: string;
}

/** A file of the archive: a blob, or bytes that are at hand. */
type ArchiveFile = Omit<ArchiveEntry, "body"> & { blob?: Blob; bytes?: Uint8Array };

/** As `ctr` has them: by name, which puts the blobs first. */
function filesOf(plan: PlannedImage[]): ArchiveFile[] {
  const blobs = new Map<string, Blob>();
  for (const { image: { name }, blobs: needed } of plan) {
    for (const descriptor of needed) {
      if (!blobs.has(descriptor.digest)) blobs.set(descriptor.digest, { descriptor, image: name });
    }
  }
  const files: ArchiveFile[] = [...blobs.values()].map((blob) => ({
    name: blobPath(blob.descriptor),
    mode: 0o444,
    size: blob.descriptor.size,
    blob,
  }));
  const folders = new Set(["blobs/", ...files.map(({ name }) => name.slice(0, name.lastIndexOf("/") + 1))]);
  for (const name of folders) files.push({ name, mode: 0o755, size: 0 });
  for (const [name, bytes] of descriptionsOf(plan)) {
    files.push({ name, mode: name === "oci-layout" ? 0o444 : 0o644, size: bytes.length, bytes });
  }
  return files.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function itemOf({ descriptor, image }: Blob) {
  return { image, name: itemName(descriptor), total: descriptor.size };
}

function resultOf({ image: { name, target }, blobs, platforms, missing }: PlannedImage): ExportedImage {
  const size = blobs.reduce((sum, { size }) => sum + size, 0);
  return { image: name, digest: target.digest, platforms, missing, size };
}

async function* once<Item>(item: Item): AsyncIterable<Item> {
  yield item;
}

function noSuchImage({ name: namespace }: NamespacedClient, name: string): Error {
  return containerdError({
    code: "not_found",
    reason: "not found",
    outcome: "refused",
    action: "export",
    resource: `image ${quoted(name)}`,
    namespace,
  });
}
