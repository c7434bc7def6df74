/** Images in registries, put there by davit itself. */
import type { PushTarget, Registry } from "../../../lib/registry/registry.ts";
import type { Image } from "../../real/image_builder.ts";
import type { Bytes } from "../../real/layers.ts";

/** The bytes from an offset on, in pieces. */
export function sourceOf(
  bytes: Uint8Array,
  pieceBytes = 256 * 1024,
): (offset: number) => AsyncIterable<Uint8Array> {
  return async function* (offset) {
    for (let at = offset; at < bytes.length; at += pieceBytes) {
      yield await Promise.resolve(bytes.subarray(at, at + pieceBytes));
    }
  };
}

/** Pushes all that an image has, its target last and under the tag of `reference`. */
export async function pushImage(registry: Registry, reference: string, image: Image): Promise<PushTarget> {
  const target = await registry.pushTo(reference);
  const manifests: { digest: string; mediaType: string; bytes: Bytes }[] = [];
  for (const [digest, bytes] of image.blobs) {
    const mediaType = mediaTypeOf(bytes);
    if (mediaType !== undefined) manifests.push({ digest, mediaType, bytes });
    else {await target.upload(
        { digest, mediaType: "application/octet-stream", size: bytes.length },
        sourceOf(bytes),
      );}
  }
  const isTarget = ({ digest }: { digest: string }) => digest === image.target.digest;
  for (const { bytes, ...manifest } of manifests.filter((manifest) => !isTarget(manifest))) {
    await target.putManifest(bytes, manifest);
  }
  const tag = /:([\w.-]+)$/.exec(reference)?.[1];
  for (const { bytes, ...manifest } of manifests.filter(isTarget)) {
    await target.putManifest(bytes, { ...manifest, tag });
  }
  return target;
}

/** All bytes of a stream. */
export async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  return await new Response(ReadableStream.from(stream)).bytes();
}

function mediaTypeOf(bytes: Bytes): string | undefined {
  if (bytes[0] !== "{".charCodeAt(0)) return undefined;
  return JSON.parse(new TextDecoder().decode(bytes)).mediaType;
}
