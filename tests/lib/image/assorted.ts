import type { Containerd } from "../../real/containerd.ts";
import { buildImage, buildIndex, type Image, parseJson } from "../../real/image_builder.ts";
import {
  busyboxImage,
  importWithCtr,
  multiPlatformImage,
  nestedImage,
  ociArchive,
} from "../../real/images.ts";
import { randomImage, sparseImage } from "../../real/images.ts";
import { type Descriptor, type Platform, randomLayer } from "../../real/layers.ts";

/** Images of every shape: whole, sparse, nested, for other machines, without platforms, and with content taken away. */
export async function importAssorted(containerd: Containerd, namespace: string): Promise<void> {
  const put = (images: Image[], options = {}) =>
    importWithCtr(containerd, namespace, ociArchive(images), options);
  await put([await busyboxImage()], { unpack: true });
  await put([await sparseImage({ seed: 5 })], { allPlatforms: false });
  await put([
    await randomImage({ seed: 3 }),
    await multiPlatformImage({ seed: 4 }),
    await nestedImage({ seed: 6 }),
    await forPlatform("example.com/arm64:v1", { os: "linux", architecture: "arm64" }),
    await buildIndex("example.com/arm64-index:v1", [
      await forPlatform("", { os: "linux", architecture: "arm64" }),
    ]),
    await variants(),
    await buildIndex("example.com/no-platform:v1", [
      withoutPlatform(await randomImage({ seed: 9 })),
      withoutPlatform(await randomImage({ seed: 10 })),
    ]),
    await twiceTheSameLayer(),
  ]);
  await putBroken(containerd, namespace);
}

async function putBroken(containerd: Containerd, namespace: string): Promise<void> {
  const named = (name: string, seed: number) => ({ name: `example.com/broken/${name}:v1`, seed });
  const noLayer = await randomImage(named("layer", 20));
  const noConfig = await randomImage(named("config", 21));
  const noManifest = await randomImage(named("manifest", 22));
  const noIndex = await multiPlatformImage(named("index", 23));
  const noChild = await multiPlatformImage(named("child", 24));
  const images = [noLayer, noConfig, noManifest, noIndex, noChild];
  await importWithCtr(containerd, namespace, ociArchive(images));
  const gone = [
    manifestOf(noLayer).layers[0],
    manifestOf(noConfig).config,
    noManifest.target,
    noIndex.target,
    parseJson<{ manifests: Descriptor[] }>(noChild.blobs, noChild.target).manifests[0],
  ];
  const digests = gone.map((descriptor) => descriptor!.digest);
  await containerd.ctr(["content", "rm", ...digests], { namespace });
}

function manifestOf({ blobs, target }: Image): { config: Descriptor; layers: Descriptor[] } {
  return parseJson(blobs, target);
}

async function forPlatform(name: string, platform: Platform & { variant?: string }): Promise<Image> {
  return await buildImage({ name, platform, layers: [await randomLayer(1000, 77)] });
}

async function variants(): Promise<Image> {
  const platforms = [
    { os: "linux", architecture: "arm", variant: "v7" },
    { os: "linux", architecture: "386" },
    { os: "linux", architecture: "amd64", variant: "v1" },
    { os: "windows", architecture: "amd64", "os.version": "10.0.20348.2402" },
  ];
  const images = await Promise.all(platforms.map((platform) => forPlatform("", platform)));
  return await buildIndex("example.com/variants:v1", images);
}

function withoutPlatform(image: Image): Image {
  const { platform: _, ...target } = image.target;
  return { ...image, target };
}

async function twiceTheSameLayer(): Promise<Image> {
  const layer = await randomLayer(1000, 78);
  return await buildImage({ name: "example.com/twice:v1", layers: [layer, layer] });
}
