import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { InspectedBlob } from "davit";
import { buildImage, buildIndex, parseJson } from "../../real/image_builder.ts";
import {
  importWithCtr,
  multiPlatformImage,
  ociArchive,
  randomImage,
  sparseImage,
} from "../../real/images.ts";
import { type Descriptor, randomLayer } from "../../real/layers.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { davit } from "./davit.ts";

realTest("images inspect shows the tree that ctr shows, and what of it is there", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const whole = await multiPlatformImage({ name: "docker.io/library/whole:latest" });
  const sparse = await sparseImage({ seed: 5 });
  await importWithCtr(containerd, namespace, ociArchive([whole]));
  await importWithCtr(containerd, namespace, ociArchive([sparse]), { allPlatforms: false });
  const inspect = async (name: string) => {
    const { code, stdout } = await davit(containerd, ["-n", namespace, "images", "inspect", name]);
    assertEquals(code, 0);
    return JSON.parse(stdout);
  };

  const image = await inspect("whole");
  assertEquals(Object.keys(image), ["name", "labels", "createdAt", "updatedAt", "target"]);
  assertEquals([image.name, image.target.digest], [whole.name, whole.target.digest]);
  const blobs = blobsOf(image.target);
  assertEquals(blobs.map(({ digest }) => digest).sort(), [...whole.blobs.keys()].sort());
  assert(blobs.every(({ present }) => present));
  const [amd64] = image.target.manifests;
  assertEquals(amd64.platform.architecture, "amd64");
  assertEquals(amd64.config.image.platform, { os: "linux", architecture: "amd64" });
  assertEquals(amd64.labels["containerd.io/gc.ref.content.config"], amd64.config.digest);
  assertEquals(amd64.config.image.diffIds.length, amd64.layers.length);
  if (containerd.release.series === "2") { // the others' ctr cannot inspect
    const { stdout } = await containerd.ctr(["images", "inspect", whole.name], { namespace });
    assertEquals([...stdout.matchAll(/@(sha256:\w+)/g)].map(([, digest]) => digest), [
      ...new Set(blobs.map(({ digest }) => digest)),
    ]);
  }

  const [there, gone] = (await inspect(sparse.name)).target.manifests;
  assertEquals([there.present, there.config.present], [true, true]);
  assertEquals([gone.present, gone.platform.architecture, "config" in gone], [false, "arm64", false]);
});

realTest(
  "images inspect tells what is broken, and follows what occurs twice once",
  async (_t, containerd) => {
    const namespace = uniqueNamespace();
    const image = await randomImage({ seed: 30 });
    const twice = await buildIndex("example.com/twice:1", [image, image]);
    const bad = await buildImage({
      name: "example.com/bad:1",
      layers: [await randomLayer(1000, 31)],
      config: { Labels: { a: 1 as unknown as string } },
    });
    await importWithCtr(containerd, namespace, ociArchive([twice, bad]));
    const inspect = async (name: string) =>
      JSON.parse((await davit(containerd, ["-n", namespace, "images", "inspect", name])).stdout).target;

    const [first, second] = (await inspect(twice.name)).manifests;
    assertEquals([first.digest, "config" in first], [second.digest, true]);
    assertEquals([second.present, "config" in second], [true, false]);
    const { config } = await inspect(bad.name);
    assertEquals([config.present, "image" in config], [true, false]);
    assertStringIncludes(config.problem, "Labels");
  },
);

realTest("images history shows what the config tells, layer by layer", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const image = await multiPlatformImage({ name: "docker.io/library/multi:latest", seed: 40 });
  await importWithCtr(containerd, namespace, ociArchive([image]));
  const history = (...argv: string[]) => davit(containerd, ["-n", namespace, "images", "history", ...argv]);
  const [amd64, arm64] = parseJson<{ manifests: Descriptor[] }>(image.blobs, image.target).manifests.map(
    (manifest) => parseJson<{ layers: Descriptor[] }>(image.blobs, manifest).layers,
  );

  const own = JSON.parse((await history("multi", "-o", "json")).stdout);
  assertEquals(own.map(({ digest }: Descriptor) => digest), amd64!.map(({ digest }) => digest).reverse());
  assertEquals(own.map(({ size }: Descriptor) => size), amd64!.map(({ size }) => size).reverse());
  const other = JSON.parse((await history("multi", "--platform", "linux/arm64", "-o", "json")).stdout);
  assertEquals(other.map(({ digest }: Descriptor) => digest), arm64!.map(({ digest }) => digest).reverse());
  const { stdout } = await history("multi");
  assertEquals(stdout.split("\n")[0]!.split(/ {2,}/), ["CREATED", "CREATED BY", "SIZE", "COMMENT"]);

  const nothing = await history("multi", "--platform", "linux/s390x");
  assertEquals([nothing.code, nothing.stdout], [4, ""]);
  assertStringIncludes(nothing.stderr, "no manifest for linux/s390x");
  assertEquals((await history("multi", "--platform", "bogus/")).code, 2);
  await containerd.ctr(["content", "rm", await configOf(amd64!)], { namespace });
  const absent = await history("multi");
  assertEquals(absent.code, 4);
  assertStringIncludes(absent.stderr, `Cannot get content ${await configOf(amd64!)} in namespace`);

  function configOf(layers: Descriptor[]): string {
    const manifests = parseJson<{ manifests: Descriptor[] }>(image.blobs, image.target).manifests
      .map((manifest) => parseJson<{ config: Descriptor; layers: Descriptor[] }>(image.blobs, manifest));
    return manifests.find((manifest) => manifest.layers[0]!.digest === layers[0]!.digest)!.config.digest;
  }
});

realTest("images inspect and history say where a missing image is", async (_t, containerd) => {
  const [here, there] = [uniqueNamespace("here"), uniqueNamespace("there")];
  const { name, ...image } = await randomImage({ name: `example.com/${there}:1` });
  await importWithCtr(containerd, there, ociArchive([{ name, ...image }]));
  for (const [verb, action] of [["inspect", "inspect"], ["history", "read the history of"]] as const) {
    const { code, stdout, stderr } = await davit(containerd, ["-n", here, "images", verb, name]);
    assertEquals([code, stdout], [4, ""]);
    assertEquals(
      stderr,
      `davit: Cannot ${action} image "${name}" in namespace "${here}": not found\n` +
        `hint: it is in namespace "${there}"\n`,
    );
  }
});

/** Every blob of the tree, as often as it occurs, in the order in which one reads it. */
function blobsOf(blob: InspectedBlob): InspectedBlob[] {
  const { manifests = [], config, layers = [] } = blob;
  return [blob, ...[...manifests, ...(config ? [config] : []), ...layers].flatMap(blobsOf)];
}
