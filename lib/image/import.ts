import type { NamespacedClient } from "../client.ts";
import { mapConcurrent } from "../concurrency.ts";
import type { Content } from "../content.ts";
import { AlreadyExistsError } from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { encodeDocument } from "../oci/encode.ts";
import { mediaTypes } from "../oci/media_types.ts";
import { quoted } from "../oci/quoted.ts";
import { hostPlatform, parsePlatform } from "../oci/platform.ts";
import { assertImageName } from "../oci/reference.ts";
import type { ItemProgress, Progress } from "../progress.ts";
import type { CallOptions } from "../transport/transport.ts";
import { readArchive } from "./archive.ts";
import { readDockerImages } from "./docker_archive.ts";
import { type ArchiveBlob, type ArchiveContents, ingestMembers } from "./ingest.ts";
import { type ImportNames, type NamedImage, nameImages } from "./import_names.ts";
import { type ArchivedImage, parseLayout } from "./oci_layout.ts";
import { type SettledImage, Settler } from "./settle.ts";
import { writeDocument } from "./write_document.ts";

/** What became of one image of an archive. */
export interface ImportResult {
  /** The name that it got. */
  image: string;
  /** What the name points to: `sha256:…`. */
  digest: string;
  /** Bytes of all that the namespace has of it. */
  size: number;
  /** What became of the name; `"exists"`: it pointed there already. */
  status: "created" | "updated" | "exists";
  /** What to know: platforms that the archive lacks. */
  reason?: string;
  /** Blobs written from the archive; like all counts here, those that images have in common count once. */
  written: number;
  /** Blobs that containerd had in another namespace and could share. */
  shared: number;
  /** Blobs that the namespace had. */
  existing: number;
  /** Bytes sent to containerd. */
  bytesMoved: number;
}

/** How to import an archive. */
export interface ImportOptions extends CallOptions, ImportNames {
  /** `linux/arm64`, …: only these, and each must be complete. Default: all that the archive has. */
  platforms?: readonly string[] | undefined;
  /** Bytes of the archive, if known: the total of the progress. */
  size?: number | undefined;
  /** Called with the bytes of the archive that have been read, and the blobs in it. */
  onProgress?: ((state: Progress) => void) | undefined;
}

const settledAtOnce = 4;

/**
 * Imports the images of a tar archive, plain or packed with gzip: an OCI layout, or what `docker save` writes. Blobs
 * that containerd has already are skipped. An index may lack platforms as long as one of them is complete. Nothing is
 * unpacked; that is for whoever runs the image.
 *
 * A name that is only a tag gets `import-<date>` for a repository, and an image without a name gets its digest, as with
 * `ctr images import --digests`. The images appear at the end, when all of them are found complete.
 *
 * ```ts
 * import { importImages, type NamespacedClient } from "davit";
 *
 * async function example(client: NamespacedClient) {
 *   const archive = await Deno.open("busybox.tar");
 *   for (const { image, status } of await importImages(client, archive.readable)) console.log(image, status);
 * }
 * ```
 *
 * @throws {SyntaxError} when the archive is damaged, hostile, of another kind, or lacks parts of an image; when a name or
 * platform is malformed.
 */
export async function importImages(
  client: NamespacedClient,
  source: ReadableStream<Uint8Array>,
  { baseName, digests, indexName, platforms = [], size, onProgress = () => {}, ...options }: ImportOptions =
    {},
): Promise<ImportResult[]> {
  for (const name of [baseName, indexName]) if (name !== undefined) assertImageName(name);
  const host = hostPlatform(Deno.build);
  const wanted = platforms.map((text) => parsePlatform(text, { host }));
  let done = 0;
  const report = (items: Progress["items"] = []) =>
    onProgress({ task: "importing", done, ...(size !== undefined && { total: size }), unit: "bytes", items });
  const members = readArchive(source, {
    signal: options.signal,
    onRead(bytes) {
      done += bytes;
      report();
    },
  });
  const first = await members.next(); // what is no archive shall not even create the namespace
  const labels = { "davit/operation": "images import" };
  await using lease = await client.leases.acquire({ prefix: "davit-import", labels }, options)
    .catch(async (error) => {
      await members.return();
      throw error;
    });
  const holder = client.withLease(lease.id);
  const onItem = (item: ItemProgress) => report([item]);
  const contents = await ingestMembers(holder.content, startingWith(first, members), { onItem, ...options });
  const { images, written } = await imagesIn(contents, { client: holder, options });
  const named = nameImages(images, { baseName, digests, indexName });
  if (indexName !== undefined) {
    const index = await writeIndex(holder.content, { images, contents, ...options });
    named.unshift({ name: indexName, target: index.target });
    written.push(index);
  }

  // Of equal files the first one counts: that one was written.
  const all = [...contents.files.values(), ...written].toReversed();
  const blobs = new Map(all.map((blob) => [blob.digest, blob]));
  const settler = new Settler(holder, {
    blobs: blobs.values(),
    leaseId: lease.id,
    platforms: wanted,
    ...options,
  });
  const settle = async (image: NamedImage) => {
    const state = await settler.settle(image.target);
    if (state.missing) throw lacking(image.name, state.missing);
    return { ...image, ...state };
  };
  const settled = await Array.fromAsync(mapConcurrent(named, settle, { limit: settledAtOnce }));
  const results: ImportResult[] = [];
  const counted = new Set<string>();
  for (const image of settled) {
    const status = await put(holder, image, options);
    results.push({ ...resultOf(image, { blobs, counted }), status });
  }
  return results;
}

async function* startingWith<Item>(
  first: IteratorResult<Item, void>,
  rest: AsyncGenerator<Item, void>,
): AsyncIterable<Item> {
  try {
    if (!first.done) yield first.value;
    yield* rest;
  } finally {
    await rest.return();
  }
}

async function imagesIn(
  contents: ArchiveContents,
  { client: { content }, options }: { client: NamespacedClient; options: CallOptions },
): Promise<{ images: ArchivedImage[]; written: ArchiveBlob[] }> {
  const { descriptions, files } = contents;
  const layout = descriptions.get("oci-layout");
  const index = descriptions.get("index.json");
  // Newer versions of docker write both kinds into one archive.
  if (layout && index) return { images: parseLayout({ layout, index }), written: [] };
  if (descriptions.has("manifest.json")) return await readDockerImages(content, contents, options);
  throw new SyntaxError(
    `Cannot import archive: ${
      files.has("repositories")
        ? "written by a docker of before 1.10; load it with docker and save it again"
        : "neither an OCI layout (oci-layout, index.json) nor a docker archive (manifest.json)"
    }`,
  );
}

/** Writes the index of all images of an archive: its own, or for an archive of docker a new one. */
async function writeIndex(
  content: Content,
  { images, contents: { descriptions }, ...options }: CallOptions & {
    images: ArchivedImage[];
    contents: ArchiveContents;
  },
): Promise<ArchiveBlob & { target: Descriptor }> {
  const mediaType = mediaTypes.ociIndex;
  const isOwn = descriptions.has("oci-layout");
  const manifests = images.map(({ target }) => target);
  const bytes = isOwn ? descriptions.get("index.json")! : encodeDocument({ mediaType, manifests });
  const written = await writeDocument(content, bytes, options);
  return { ...written, target: { mediaType, digest: written.digest, size: written.size } };
}

async function put(
  { images }: NamespacedClient,
  { name, target }: NamedImage,
  options: CallOptions,
): Promise<ImportResult["status"]> {
  try {
    await images.create({ name, target }, options);
    return "created";
  } catch (error) {
    if (!(error instanceof AlreadyExistsError)) throw error;
  }
  const { digest } = (await images.get(name, options)).target;
  if (digest === target.digest) return "exists";
  await images.update({ name, target }, options);
  return "updated";
}

function resultOf(
  { name, target, blobs, incomplete }: NamedImage & SettledImage,
  archive: { blobs: ReadonlyMap<string, ArchiveBlob>; counted: Set<string> },
): Omit<ImportResult, "status"> {
  const fresh = blobs.filter(({ digest }) => !archive.counted.has(digest));
  for (const { digest } of fresh) archive.counted.add(digest);
  const came = fresh.flatMap(({ digest }) => archive.blobs.get(digest) ?? []).filter(({ existed }) =>
    !existed
  );
  const shared = came.filter(({ sentBytes, size }) => sentBytes === 0 && size > 0);
  return {
    image: name,
    digest: target.digest,
    size: blobs.reduce((sum, { size }) => sum + size, 0),
    ...(incomplete > 0 && { reason: `${incomplete} of its platforms not complete in the archive` }),
    written: came.length - shared.length,
    shared: shared.length,
    existing: fresh.length - came.length,
    bytesMoved: came.reduce((sum, { sentBytes }) => sum + sentBytes, 0),
  };
}

function lacking(name: string, { digest, mediaType }: Descriptor): SyntaxError {
  return new SyntaxError(
    `Cannot import image ${quoted(name)}: the archive lacks its content ${digest} (${mediaType})`,
  );
}
