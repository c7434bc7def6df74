import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { buildImage, buildIndex, type Image, parseJson } from "../../real/image_builder.ts";
import { collect, dockerArchive, ociArchive, randomImage } from "../../real/images.ts";
import { buildLayer, type Bytes, describe, type Descriptor } from "../../real/layers.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { archiveOf, dockerFiles, type Files, gzip, layoutFiles, rawArchive } from "./archives.ts";
import { assertNothingLeft, imported } from "./imported.ts";

const types = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
};

realTest("importImages() refuses archives that break off and leaves nothing", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const image = await randomImage({ seed: 1000, layerBytes: 40_000 });
  for (const archive of [ociArchive([image]), dockerArchive([image])]) {
    const whole = await collect(archive);
    const packed = await gzip(whole);
    for (let i = 1; i <= 20; i++) {
      const cut = ({ length }: Bytes) => Math.floor((length * i) / 21);
      for (const part of [whole.slice(0, cut(whole)), packed.slice(0, cut(packed))]) {
        const { message } = await assertRejects(() => imported(containerd, namespace, part), SyntaxError);
        assertStringIncludes(message, "Cannot read archive: damaged");
      }
      await assertNothingLeft(containerd, namespace);
    }
  }
});

realTest(
  "importImages() refuses hostile archives with one clear error and leaves nothing",
  async (_t, containerd) => {
    const namespace = uniqueNamespace();
    for (const [reason, archive] of await corpus()) {
      const { message } = await assertRejects(
        () => imported(containerd, namespace, archive),
        SyntaxError,
        undefined,
        reason,
      );
      assertStringIncludes(message, reason);
      assertEquals(message.split("\n").length, 1);
      await assertNothingLeft(containerd, namespace);
    }
  },
  { timeoutMs: 300_000 },
);

realTest("importImages() reads no more than 64 MiB of indexes and manifests", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const image = await randomImage({ seed: 1001 });
  const padding = "x".repeat(8_300_000);
  const padded = Array.from(
    { length: 9 },
    (_, i) => withManifest(image, { ...manifestOf(image), annotations: { padding, i: `${i}` } }),
  );
  const archive = await collect(
    ociArchive([await buildIndex("example.com/padded:v1", await Promise.all(padded))]),
  );
  await assertRejects(
    () => imported(containerd, namespace, archive),
    SyntaxError,
    "bytes of indexes and manifests",
  );
  await assertNothingLeft(containerd, namespace);
});

/** Archives, each with what the error has to say. */
async function corpus(): Promise<[string, Bytes][]> {
  const image = await randomImage({ seed: 1002, layerBytes: 2_000 });
  const layout = layoutFiles(image);
  const docker = dockerFiles(image, ["saved:v1"]);
  const [saved] = docker["manifest.json"] as [{ Config: string; Layers: string[] }];
  const { config, layers: [layer] } = manifestOf(image);
  const index = (...manifests: unknown[]) =>
    archiveOf({ ...layout, "index.json": { schemaVersion: 2, manifests } });
  const named = (name: unknown) => ({ ...image.target, annotations: { "io.containerd.image.name": name } });
  const manifestJson = (...images: unknown[]) => archiveOf({ ...docker, "manifest.json": images });
  const without = ({ digest }: Descriptor) =>
    archiveOf(Object.fromEntries(Object.entries(layout).filter(([name]) => !name.endsWith(digest.slice(7)))));
  const wrong = `sha256:${"a".repeat(64)}`;
  const bare = await buildImage({
    name: "",
    layers: [await buildLayer({ entries: [], compression: "none" })],
  });

  return [
    ["damaged, or not a tar archive", new TextEncoder().encode("PK\x03\x04 not a tar".repeat(200))],
    ["neither an OCI layout", await archiveOf({})],
    ["neither an OCI layout", await archiveOf({ "oci-layout": layout["oci-layout"] })],
    ["neither an OCI layout", await archiveOf({ "index.json": layout["index.json"] })],
    ["a docker of before 1.10", await archiveOf({ repositories: {}, "ab/layer.tar": "x", "ab/json": "{}" })],
    [
      "have another digest",
      await archiveOf({ ...layout, [`blobs/sha256/${"a".repeat(64)}`]: "something else" }),
    ],
    ['"../../etc/cron.d/x" leads out of it', rawArchive([{ name: "../../etc/cron.d/x" }])],
    ["is a link", rawArchive([{ name: "blob", type: "hardLink", linkname: "/etc/shadow" }])],
    ["occurs twice", rawArchive([{ name: "oci-layout" }, { name: "./oci-layout" }])],
    [
      "has 8388609 bytes, more than the limit",
      await archiveOf({ ...layout, "index.json": " ".repeat((8 << 20) + 1) }),
    ],

    [
      'version "2.0.0" is not known',
      await archiveOf({ ...layout, "oci-layout": { imageLayoutVersion: "2.0.0" } }),
    ],
    ["not valid JSON", await archiveOf({ ...layout, "index.json": "{" })],
    ["not a JSON object", await archiveOf({ ...layout, "index.json": [] })],
    ["nested deeper than", await archiveOf({ ...layout, "index.json": `${"[".repeat(9_999)}` })],
    [
      "occurs twice in one object",
      await archiveOf({ ...layout, "index.json": '{"manifests":[],"manifests":[]}' }),
    ],
    [
      "layers does not belong here",
      await archiveOf({ ...layout, "index.json": { manifests: [], layers: [] } }),
    ],
    ["it lists no image", await index()],
    ["it lists no image", await index({ ...config, mediaType: "text/plain" })],
    ["more than the limit of 10000", await index(...Array(10_001).fill(image.target))],
    ["digest is malformed", await index({ ...image.target, digest: "sha256:../../etc" })],
    ["size is not a number of bytes", await index({ ...image.target, size: -1 })],
    [
      `bytes, not ${image.target.size + 1} as said`,
      await index({ ...image.target, size: image.target.size + 1 }),
    ],
    ["mediaType is that of something else", await index({ ...image.target, mediaType: types.index })],
    [`lacks its content ${wrong}`, await index({ ...image.target, digest: wrong })],
    [`lacks its content ${layer.digest}`, await without(layer)],
    [`lacks its content ${config.digest}`, await without(config)],
    ["two images named", await index(named("a:v1"), { ...config, ...named("a:v1"), digest: wrong })],
    ["Cannot parse image reference", await index(named("../../etc/passwd"))],
    ["Cannot parse image reference", await index(named("two\nlines"))],
    ["Cannot parse image reference", await index(named("\x1b[31mred"))],
    ['io.containerd.image.name"] is not a string', await index(named({}))],
    ["more than 16 indexes deep", await collect(ociArchive([await deep(image, 18)]))],
    ["it lists no image", await collect(ociArchive([await buildIndex("example.com/none:v1", [])]))],
    ["manifests does not belong here", await collect(ociArchive([await confused(image)]))],
    ["bytes, not 1 as said", await collect(ociArchive([await lyingAbout(image, { size: 1 })]))],
    [
      "lacks its content md5:abc",
      await collect(ociArchive([await lyingAbout(image, { digest: "md5:abc" })])),
    ],

    ["it lists no image", await manifestJson()],
    ["not valid JSON", await archiveOf({ ...docker, "manifest.json": "[" })],
    ["occurs twice", await archiveOf({ ...docker, "manifest.json": '[],"images":[]' })],
    ["Config is missing", await manifestJson({ ...saved, Config: "" })],
    ['"nowhere.json" is not in it', await manifestJson({ ...saved, Config: "nowhere.json" })],
    [
      '"nowhere.tar" is not in it',
      await manifestJson({ ...saved, Layers: [...saved.Layers.slice(1), "nowhere.tar"] }),
    ],
    ["is for 2 layers, not 1", await manifestJson({ ...saved, Layers: saved.Layers.slice(1) })],
    ["not valid JSON", await manifestJson({ ...saved, Config: saved.Layers[0] })],
    ["Cannot parse image reference", await archiveOf(dockerFiles(image, ["UPPER:v1"]))],
    ["two images named", await manifestJson(saved, { ...saved, Layers: saved.Layers.toReversed() })],
    [
      "is not the layer that the image's config names",
      await archiveOf(withOtherLayer(dockerFiles(bare, ["a:v1"]))),
    ],
  ];
}

/** The image inside of so many indexes. */
async function deep(image: Image, depth: number): Promise<Image> {
  let outer = image;
  for (let i = 0; i < depth; i++) outer = await buildIndex("example.com/deep:v1", [outer]);
  return outer;
}

/** An image whose manifest could be taken for an index. */
function confused(image: Image): Promise<Image> {
  return withManifest(image, { ...manifestOf(image), manifests: [] });
}

function lyingAbout(image: Image, lie: Partial<Descriptor>): Promise<Image> {
  const { layers: [layer, ...others], ...manifest } = manifestOf(image);
  return withManifest(image, { ...manifest, layers: [{ ...layer, ...lie }, ...others] });
}

async function withManifest(image: Image, manifest: unknown): Promise<Image> {
  const blobs = new Map(image.blobs);
  return { ...image, blobs, target: await put(blobs, manifest) };
}

function withOtherLayer(files: Files): Files {
  const name = Object.keys(files).find((name) => name.endsWith("layer.tar"))!;
  return { ...files, [name]: new Uint8Array(2048) };
}

async function put(blobs: Map<string, Bytes>, manifest: unknown): Promise<Descriptor> {
  const bytes = new TextEncoder().encode(JSON.stringify(manifest));
  const descriptor = await describe(types.manifest, bytes);
  blobs.set(descriptor.digest, bytes);
  return descriptor;
}

function manifestOf({ blobs, target }: Image): { config: Descriptor; layers: [Descriptor, ...Descriptor[]] } {
  return parseJson(blobs, target);
}
