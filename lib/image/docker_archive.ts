import type { Content } from "../content.ts";
import { parseConfig } from "../oci/config.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { ImageManifest } from "../oci/document.ts";
import { encodeDocument } from "../oci/encode.ts";
import { JsonObject } from "../oci/json.ts";
import { mediaTypes } from "../oci/media_types.ts";
import { normalizePlatform, type Platform } from "../oci/platform.ts";
import { quoted } from "../oci/quoted.ts";
import { formatReference, parseReference } from "../oci/reference.ts";
import type { CallOptions } from "../transport/transport.ts";
import type { ArchiveBlob, ArchiveContents } from "./ingest.ts";
import { type ArchivedImage, nameAnnotations } from "./oci_layout.ts";
import { writeDocument } from "./write_document.ts";

/** An image in the `manifest.json` of an archive that `docker save` wrote: names of files in the archive. */
interface SavedImage {
  config: string;
  tags: string[];
  layers: string[];
}

/**
 * The images of a docker archive. They have no manifests, so these are made and written, byte for byte the ones that
 * containerd makes. `written` are the blobs that came of it.
 *
 * @see {@link https://github.com/moby/docker-image-spec/blob/v1.3.1/v1.2.md#combined-image-json--filesystem-changeset-format}
 * @throws {SyntaxError} when it is malformed, or a file that it names is missing or not what the image says.
 */
export async function readDockerImages(
  content: Content,
  archive: ArchiveContents,
  options: CallOptions = {},
): Promise<{ images: ArchivedImage[]; written: ArchiveBlob[] }> {
  const images: ArchivedImage[] = [];
  const written: ArchiveBlob[] = [];
  for (const saved of await parseManifestJson(archive.descriptions.get("manifest.json")!)) {
    const { manifest, platform } = await describe(content, { saved, archive, ...options });
    const blob = await writeDocument(content, encodeDocument(manifest), options);
    written.push(blob);
    const target = { mediaType: manifest.mediaType, digest: blob.digest, size: blob.size, platform };
    images.push(...saved.tags.length === 0 ? [{ target }] : saved.tags.map((tag) => named(target, tag)));
  }
  return { images, written };
}

async function parseManifestJson(bytes: Uint8Array): Promise<SavedImage[]> {
  // It is a list; the strict reader takes it as the only member of an object.
  const object = await new Blob(['{"images":', bytes as Uint8Array<ArrayBuffer>, "}"]).bytes();
  const json = JsonObject.parse(object, "manifest.json");
  const images = (json.objects("images") ?? []).map((image) => {
    const config = image.string("Config");
    if (!config) throw image.error("Config", "is missing");
    return { config, tags: image.strings("RepoTags") ?? [], layers: image.strings("Layers") ?? [] };
  });
  if (images.length === 0) throw new SyntaxError("Cannot parse manifest.json: it lists no image");
  return images;
}

async function describe(
  content: Content,
  { saved, archive, ...options }: CallOptions & { saved: SavedImage; archive: ArchiveContents },
): Promise<{ manifest: ImageManifest; platform: Platform }> {
  const config = fileNamed(saved.config, archive);
  const { diffIds, platform } = parseConfig(await content.readSmall(config, options), config);
  if (diffIds.length !== saved.layers.length) {
    throw new SyntaxError(
      `Cannot read archive: ${
        quoted(saved.config)
      } is for ${diffIds.length} layers, not ${saved.layers.length}`,
    );
  }
  const layers: Descriptor[] = [];
  for (const [i, name] of saved.layers.entries()) {
    const { digest, size } = fileNamed(name, archive);
    const mediaType = await layerType(content, digest, options);
    // Of packed layers the digest is another one; that of their content is checked when they are unpacked.
    if (mediaType === mediaTypes.dockerLayer && digest !== diffIds[i]) {
      throw new SyntaxError(
        `Cannot read archive: ${quoted(name)} is not the layer that the image's config names`,
      );
    }
    layers.push({ mediaType, digest, size });
  }
  const manifest = {
    mediaType: mediaTypes.dockerManifest,
    config: { mediaType: mediaTypes.dockerConfig, digest: config.digest, size: config.size },
    layers,
  };
  return { manifest, platform: normalizePlatform(platform) };
}

function fileNamed(name: string, { files, links }: ArchiveContents): ArchiveBlob {
  const file = files.get(name) ?? files.get(links.get(name) ?? "");
  if (file === undefined) throw new SyntaxError(`Cannot read archive: ${quoted(name)} is not in it`);
  return file;
}

async function layerType(content: Content, digest: string, options: CallOptions): Promise<string> {
  const start: number[] = [];
  for await (const bytes of content.read(digest, { size: 4, ...options })) {
    start.push(...bytes.subarray(0, 4));
  }
  const begins = (...magic: number[]) => magic.every((byte, i) => byte === start[i]);
  if (begins(0x1f, 0x8b)) return mediaTypes.dockerLayerGzip;
  return begins(0x28, 0xb5, 0x2f, 0xfd) ? mediaTypes.dockerLayerZstd : mediaTypes.dockerLayer;
}

function named(target: Descriptor, text: string): ArchivedImage {
  const reference = parseReference(text);
  // A digest says more than a tag, which docker leaves out beside it.
  const { digest, tag = "", ...repository } = reference;
  const name = formatReference(digest === undefined ? reference : { ...repository, digest });
  const ref = digest === undefined ? tag : name;
  return {
    name,
    target: { ...target, annotations: { [nameAnnotations.image]: name, [nameAnnotations.ref]: ref } },
  };
}
