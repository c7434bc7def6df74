import { assert, assertEquals } from "@std/assert";
import { children, gcLabels } from "../../../lib/oci/children.ts";
import type { Descriptor } from "../../../lib/oci/descriptor.ts";
import { parseIndex, parseManifest } from "../../../lib/oci/document.ts";
import { mediaTypes } from "../../../lib/oci/media_types.ts";
import type { Containerd } from "../../real/containerd.ts";
import { type Image, importWithCtr, ociArchive } from "../../real/images.ts";
import { describe } from "../../real/layers.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";

const digest = (i: number) => `sha256:${i.toString(16).padStart(64, "0")}`;
const descriptors = (types: string[]): Descriptor[] =>
  types.map((mediaType, i) => ({ mediaType, digest: digest(i), size: 1 }));
const keys = (labels: string[]) => labels.map((label) => `containerd.io/gc.ref.content.${label}`);

const { ociIndex, ociManifest, ociConfig, ociLayer, ociLayerGzip } = mediaTypes;
const helm = "application/vnd.cncf.helm.config.v1+json";

Deno.test("children() of a manifest are its config and its layers, in order", () => {
  const [config, ...layers] = descriptors([ociConfig, ociLayerGzip, ociLayer, ociLayerGzip]);
  const found = children({ mediaType: ociManifest, config: config!, layers });
  assertEquals(found.map(({ descriptor }) => descriptor), [config!, ...layers]);
  assertEquals(found.map(({ gcLabel }) => gcLabel), keys(["config", "l.0", "l.1", "l.2"]));
});

Deno.test("children() of an index are all its manifests, whatever their platform", () => {
  const manifests = descriptors([ociManifest, mediaTypes.dockerManifest, ociManifest]);
  manifests[1] = { ...manifests[1]!, platform: { os: "unknown", architecture: "unknown" } };
  const found = children({ mediaType: ociIndex, manifests });
  assertEquals(found.map(({ descriptor }) => descriptor), manifests);
  assertEquals(found.map(({ gcLabel }) => gcLabel), keys(["m.0", "m.1", "m.2"]));
});

Deno.test("children() names a digest twice that the document names twice", () => {
  const [layer] = descriptors([ociLayer]);
  const document = { mediaType: ociManifest, config: layer!, layers: [layer!, layer!] };
  assertEquals(
    gcLabels(document),
    Object.fromEntries(keys(["l.0", "l.1", "l.2"]).map((key) => [key, digest(0)])),
  );
});

Deno.test("gcLabels() numbers every kind of child by itself", () => {
  const types = [
    ociManifest,
    ociIndex,
    ociLayer,
    ociConfig,
    helm,
    ociManifest,
    ociIndex,
    mediaTypes.checkpoint,
  ];
  const labels = gcLabels({ mediaType: ociIndex, manifests: descriptors(types) });
  assertEquals(Object.keys(labels), keys(["m.0", "0", "l.0", "config", "1", "m.1", "2", "config1"]));
  assertEquals(Object.values(labels), types.map((_, i) => digest(i)));
});

realTest("gcLabels() are the labels that ctr sets", async (_t, containerd) => {
  const image = await oddImage();
  const namespace = uniqueNamespace("labels");
  await importWithCtr(containerd, namespace, ociArchive([image]));
  for (const [digest, bytes] of image.blobs) {
    const { manifests, layers } = JSON.parse(new TextDecoder().decode(bytes));
    if (manifests !== undefined) {
      const labels = await labelsWithCtr(containerd, { namespace, digest });
      assertEquals(labels, gcLabels(parseIndex(bytes, { mediaType: ociIndex })));
      assert(Object.keys(labels).length > 1);
    }
    if (layers !== undefined) {
      const labels = await labelsWithCtr(containerd, { namespace, digest });
      assertEquals(labels, gcLabels(parseManifest(bytes, { mediaType: ociManifest })));
      assert(Object.keys(labels).length > 1);
    }
  }
});

/** An index of images, indexes, artifacts and leaves, with repetitions. */
async function oddImage(): Promise<Image> {
  const blobs: Image["blobs"] = new Map();
  const add = async (mediaType: string, value: unknown) => {
    const bytes = new TextEncoder().encode(JSON.stringify(value));
    const descriptor = await describe(mediaType, bytes);
    blobs.set(descriptor.digest, bytes);
    return descriptor;
  };
  const platform = { os: "linux", architecture: "amd64" };
  const config = await add(ociConfig, { ...platform, rootfs: { type: "layers", diff_ids: [] } });
  const helmConfig = await add(helm, { name: "chart" });
  const layer = await add(ociLayer, { not: "a tar, which nothing here looks into" });
  const blob = await add("application/octet-stream", {});
  const manifest = await add(ociManifest, {
    schemaVersion: 2,
    config,
    layers: [layer, blob, layer, helmConfig, blob],
  });
  const artifact = await add(ociManifest, {
    schemaVersion: 2,
    config: helmConfig,
    layers: [config, blob, config],
  });
  const attestation = { ...artifact, platform: { os: "unknown", architecture: "unknown" } };
  const inner = await add(ociIndex, { schemaVersion: 2, manifests: [blob, artifact, manifest] });
  const manifests = [attestation, inner, { ...manifest, platform }, manifest, blob, inner, layer, config];
  const target = await add(ociIndex, { schemaVersion: 2, manifests });
  return { name: "example.com/odd:latest", target, blobs };
}

async function labelsWithCtr(
  containerd: Containerd,
  { namespace, digest }: { namespace: string; digest: string },
): Promise<Record<string, string>> {
  const { stdout } = await containerd.ctr(["content", "ls"], { namespace });
  const row = stdout.split("\n").find((line) => line.startsWith(digest)) ?? "";
  return Object.fromEntries(
    [...row.matchAll(/(containerd\.io\/gc\.ref\.[^=]+)=(sha256:\w+)/g)].map((
      [, key = "", value = ""],
    ) => [key, value]),
  );
}
