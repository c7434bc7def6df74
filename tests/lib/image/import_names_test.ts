import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { nameImages } from "../../../lib/image/import_names.ts";
import { buildImage } from "../../real/image_builder.ts";
import { checkWithCtr, collect, multiPlatformImage, ociArchive, randomImage } from "../../real/images.ts";
import { type Bytes, randomLayer } from "../../real/layers.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import type { ImportOptions } from "davit";
import { archiveOf, dockerFiles, layoutFiles } from "./archives.ts";
import { assertNothingLeft, imported, stateOf } from "./imported.ts";

function withRef(image: Awaited<ReturnType<typeof randomImage>>, ref: string): Promise<Bytes> {
  return archiveOf(layoutFiles(image, { annotations: { "org.opencontainers.image.ref.name": ref } }));
}

realTest("importImages() names images and keeps platforms as ctr does", async (_t, containerd) => {
  const image = await randomImage({ seed: 400 });
  const docker = await buildImage({ name: "", layers: [await randomLayer(5_000, 401)] });
  const archives: Record<string, Bytes> = {
    "a tag": await withRef(image, "v7"),
    "a name below the base": await withRef(image, "example.com/foo/bar:v1"),
    "a name beside the base": await withRef(image, "example.com/foobar:v1"),
    "containerd's name": await collect(ociArchive([await multiPlatformImage({ seed: 402 })])),
    "no name": await archiveOf(layoutFiles(image)),
    "names of docker": await archiveOf(dockerFiles(docker, ["short", "example.com/other:v2"])),
  };
  const [base, index] = ["example.com/foo", "example.com/index:1"];
  const cases: [flags: string[], options: ImportOptions, except: string[]][] = [
    [["--base-name", base], { baseName: base }, ["no name"]],
    [["--digests"], { digests: true }, []],
    [["--digests", "--base-name", base], { digests: true, baseName: base }, []],
    [["--index-name", index], { indexName: index }, ["names of docker"]], // whose index is a new one
    [["--platform", "linux/amd64"], { platforms: ["linux/amd64"] }, ["no name"]],
    [["--platform", "linux/arm64"], { platforms: ["linux/arm64"] }, ["no name"]],
  ];
  const local = containerd.release.series === "1.6" ? [] : ["--local"];
  for (const [flags, options, except] of cases) {
    for (const [kind, archive] of Object.entries(archives)) {
      if (except.includes(kind)) continue;
      const [ours, ctrs] = [uniqueNamespace(), uniqueNamespace()];
      const all = flags.includes("--platform") ? [] : ["--all-platforms"];
      const argv = ["images", "import", "--no-unpack", ...local, ...all, ...flags, "-"];
      const { code } = await containerd.ctr(argv, { namespace: ctrs, stdin: archive, check: false });
      const failure = await imported(containerd, ours, archive, options).then(() => 0, () => 1);
      const names = (await stateOf(containerd, ctrs)).images;
      assertEquals(failure, code === 0 && names.length > 0 ? 0 : 1, `${flags} of ${kind}`);
      assertEquals(await stateOf(containerd, ours), await stateOf(containerd, ctrs), `${flags} of ${kind}`);
    }
  }
});

realTest("importImages() keeps the index of docker's images under a name", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const image = await randomImage({ seed: 403 });
  const archive = await archiveOf(dockerFiles(image, ["example.com/a:1"]));
  const results = await imported(containerd, namespace, archive, { indexName: "example.com/index:1" });
  assertEquals(results.map(({ image }) => image), ["example.com/index:1", "example.com/a:1"]);
  assertEquals((await checkWithCtr(containerd, namespace)).get("example.com/index:1"), "complete (3/3)");
}, { series: ["2"] });

realTest("importImages() demands a platform that is asked for", async (_t, containerd) => {
  const multi = await multiPlatformImage({ seed: 404 });
  const lacking = new Map([...multi.blobs].filter(([, bytes]) => bytes.length < 10_000));
  for (
    const [image, platforms, message] of [
      [multi, ["linux/amd64", "linux/s390x"], "it has no linux/s390x"],
      [await randomImage({ seed: 405 }), ["linux/arm64"], "it has no linux/arm64"],
      [{ ...multi, blobs: lacking }, ["linux/arm64"], "the archive lacks its content"],
      [multi, ["nonsense"], "Cannot parse platform"],
    ] as const
  ) {
    const namespace = uniqueNamespace();
    const archive = await collect(ociArchive([image]));
    await assertRejects(() => imported(containerd, namespace, archive, { platforms }), SyntaxError, message);
    await assertNothingLeft(containerd, namespace);
  }
}, { series: ["2"] });

Deno.test("nameImages() refuses two images of one name, and archives of which nothing is left", () => {
  const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
  const target = (digit: string) => ({ mediaType: "x", size: 1, digest: digest(digit) });
  const images = [{ target: target("1"), ref: "v1" }, { target: target("2"), ref: "v1" }];
  assertThrows(() => nameImages(images, {}), SyntaxError, "two images named");
  const other = [{ target: target("1"), ref: "example.com/a:1" }];
  assertThrows(
    () => nameImages(other, { baseName: "example.com/b" }),
    SyntaxError,
    'begins with "example.com/b"',
  );
  assertEquals(nameImages(other, { baseName: "example.com/b", indexName: "x" }), []);
  assertThrows(() => nameImages([{ target: target("1"), ref: "A B" }], {}), SyntaxError);
});
