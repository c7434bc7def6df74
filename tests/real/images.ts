import { createHash } from "node:crypto";
import type { Containerd } from "./containerd.ts";
import { busyboxStatic } from "./debian.ts";
import {
  AMD64,
  ARM64,
  blobPath,
  buildImage,
  buildIndex,
  type Image,
  type ImageConfig,
  ociArchive,
} from "./image_builder.ts";
import {
  buildLayer,
  type Bytes,
  type Layer,
  type Platform,
  randomChunks,
  randomLayer,
  type TarEntry,
  tarStream,
} from "./layers.ts";
import { run } from "./process.ts";

export { dockerArchive, type Image, ociArchive } from "./image_builder.ts";
export { collect, type LayerSpec } from "./layers.ts";

export interface RandomImageOptions {
  name?: string;
  /** @default 2 */
  layers?: number;
  /** Bytes of random data in each layer. @default 65536 */
  layerBytes?: number;
  /** Equal seeds give equal digests. @default 1 */
  seed?: number;
  /** @default linux/amd64 */
  platform?: Platform;
}

/** An image that runs: the machine's own busybox with links for all its applets. */
export async function busyboxImage(
  name = "docker.io/library/busybox:latest",
  ownConfig: ImageConfig = {},
): Promise<Image> {
  const busybox = await busyboxStatic();
  const body = await Deno.readFile(busybox);
  const applets = (await run(busybox, ["--list"])).stdout.trim().split("\n");
  const entries: TarEntry[] = [
    ...["bin/", "etc/", "proc/", "root/", "sys/", "tmp/"].map(folder),
    { header: { name: "bin/busybox", size: body.byteLength, mode: 0o755 }, body },
    ...applets.filter((applet) => applet !== "busybox").map((applet) => link(`bin/${applet}`, "busybox")),
    text("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"),
    text("etc/group", "root:x:0:\n"),
  ];
  const config = { Cmd: ["sh"], Env: ["PATH=/bin"], WorkingDir: "/", ...ownConfig };
  return await buildImage({ name, layers: [await buildLayer({ entries })], config });
}

/** An image of random data. */
export async function randomImage(options: RandomImageOptions = {}): Promise<Image> {
  const { layers = 2, layerBytes = 65536, seed = 1, platform = AMD64 } = options;
  const name = options.name ?? `example.com/random/${seed}:latest`;
  return await buildImage({ name, platform, layers: await randomLayers(layers, { layerBytes, seed }) });
}

/** An index of linux/amd64 and linux/arm64, with all that belongs to both. */
export async function multiPlatformImage(options: RandomImageOptions = {}): Promise<Image> {
  const { seed = 1, name = `example.com/multi/${seed}:latest` } = options;
  return await buildIndex(name, await bothPlatforms(options));
}

/** An index of linux/amd64 and linux/arm64 of which nothing that belongs to arm64 is there. */
export async function sparseImage(options: RandomImageOptions = {}): Promise<Image> {
  const { seed = 1, name = `example.com/sparse/${seed}:latest` } = options;
  const [amd64, arm64] = await bothPlatforms(options);
  const whole = await buildIndex(name, [amd64, arm64]);
  return { ...whole, blobs: new Map([...whole.blobs].filter(([digest]) => !arm64.blobs.has(digest))) };
}

/** An index that holds an index of both platforms, and a manifest for linux/riscv64 beside it. */
export async function nestedImage(options: RandomImageOptions = {}): Promise<Image> {
  const { seed = 1, name = `example.com/nested/${seed}:latest` } = options;
  const inner = await buildIndex(name, await bothPlatforms(options));
  const platform = { os: "linux", architecture: "riscv64" };
  return await buildIndex(name, [inner, await randomImage({ ...options, seed: seed + 2000, platform })]);
}

/** Images that share most of their layers, as the images of one project do. */
export async function manyImages(
  { count = 200, sharedLayers = 5, ownLayers = 1, layerBytes = 4096, seed = 1 } = {},
): Promise<Image[]> {
  const shared = await randomLayers(sharedLayers, { layerBytes, seed });
  const images: Image[] = [];
  for (let index = 0; index < count; index++) {
    const own = await randomLayers(ownLayers, { layerBytes, seed: seed + 1 + index });
    const name = `example.com/many/app-${String(index).padStart(3, "0")}:latest`;
    images.push(await buildImage({ name, layers: [...shared, ...own] }));
  }
  return images;
}

/** Streams the archive of an image with one layer of about `bytes` into `file`; the layer is not in the result's blobs. */
export async function oneBigImage(
  file: string,
  { bytes, seed = 1 }: { bytes: number; seed?: number },
): Promise<Image> {
  const layerStream = () => {
    const body = ReadableStream.from(randomChunks(bytes, seed));
    return tarStream([{ header: { name: "data", size: bytes }, body }]);
  };
  const { digest, size } = await digestOf(layerStream());
  const descriptor = { mediaType: "application/vnd.oci.image.layer.v1.tar", digest, size };
  const name = "example.com/big:latest";
  const image = await buildImage({ name, layers: [{ descriptor, diffId: digest, bytes: new Uint8Array() }] });
  image.blobs.delete(digest);
  const layer = { header: { name: blobPath(digest), size }, body: layerStream() };
  const sink = await Deno.open(file, { write: true, create: true, truncate: true });
  await ociArchive([image], [layer]).pipeTo(sink.writable);
  return image;
}

export interface ImportOptions {
  /** @default false */
  unpack?: boolean;
  /** Whether every platform must be complete; a sparse image needs false. @default true */
  allPlatforms?: boolean;
}

/** Imports an archive, given as a path or as bytes, by means of ctr. */
export async function importWithCtr(
  containerd: Containerd,
  namespace: string,
  archive: string | Bytes | ReadableStream<Bytes>,
  { unpack = false, allPlatforms = true }: ImportOptions = {},
): Promise<void> {
  const flags = [];
  if (!unpack) flags.push("--no-unpack");
  if (allPlatforms) flags.push("--all-platforms");
  // From 1.7 on ctr can also leave the work to the daemon, with rules of its own about names and platforms.
  if (containerd.release.series !== "1.6") flags.push("--local");
  if (typeof archive === "string") {
    await containerd.ctr(["images", "import", ...flags, archive], { namespace });
  } else {
    await containerd.ctr(["images", "import", ...flags, "-"], { namespace, stdin: archive });
  }
  // ctr leaves the archive's own index.json as a blob that goes at some later time.
  await collectGarbage(containerd, namespace);
}

/** Makes the daemon collect what nothing refers to, in all namespaces, and waits for the end of it. */
export async function collectGarbage(containerd: Containerd, namespace: string): Promise<void> {
  const { stdout } = await containerd.ctr(["leases", "create"], { namespace });
  await containerd.ctr(["leases", "delete", "--sync", stdout.trim()], { namespace });
}

/** What ctr says about the completeness of every image, such as `complete (4/4)`, by name. */
export async function checkWithCtr(containerd: Containerd, namespace: string): Promise<Map<string, string>> {
  const { stdout } = await containerd.ctr(["images", "check"], { namespace });
  const rows = stdout.matchAll(/^(\S+) +\S+ +sha256:\w+ +(\w+ \(\d+\/\d+\))/gm);
  return new Map([...rows].map(([, name = "", status = ""]) => [name, status]));
}

async function bothPlatforms({ seed = 1, ...options }: RandomImageOptions): Promise<[Image, Image]> {
  return [
    await randomImage({ ...options, seed, platform: AMD64 }),
    await randomImage({ ...options, seed: seed + 1000, platform: ARM64 }),
  ];
}

function randomLayers(
  count: number,
  { layerBytes, seed }: { layerBytes: number; seed: number },
): Promise<Layer[]> {
  return Promise.all(
    Array.from({ length: count }, (_, index) => randomLayer(layerBytes, seed * 100_000 + index)),
  );
}

async function digestOf(stream: ReadableStream<Bytes>): Promise<{ digest: string; size: number }> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of stream) {
    hash.update(chunk);
    size += chunk.byteLength;
  }
  return { digest: `sha256:${hash.digest("hex")}`, size };
}

function folder(name: string): TarEntry {
  return { header: { name, size: 0, type: "directory", mode: 0o755 } };
}

function link(name: string, linkname: string): TarEntry {
  return { header: { name, size: 0, type: "symlink", linkname } };
}

function text(name: string, content: string): TarEntry {
  return { header: { name, size: content.length }, body: content };
}
