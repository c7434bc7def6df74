import { assertEquals } from "@std/assert";
import {
  hasChildren,
  isConfig,
  isIndex,
  isLayer,
  isManifest,
  isNonDistributable,
  isSchema1,
  layerCompression,
  mediaTypes,
} from "../../../lib/oci/media_types.ts";

type Kind = "index" | "manifest" | "schema1" | "config" | "layer" | "other";

const kinds: [string, Kind][] = [
  [mediaTypes.ociIndex, "index"],
  [mediaTypes.dockerManifestList, "index"],
  [mediaTypes.ociManifest, "manifest"],
  [mediaTypes.dockerManifest, "manifest"],
  ["application/vnd.docker.distribution.manifest.v1+json", "schema1"],
  ["application/vnd.docker.distribution.manifest.v1+prettyjws", "schema1"],
  [mediaTypes.ociConfig, "config"],
  [mediaTypes.dockerConfig, "config"],
  [mediaTypes.ociLayer, "layer"],
  [mediaTypes.ociLayerGzip, "layer"],
  [mediaTypes.ociLayerZstd, "layer"],
  [mediaTypes.ociForeignLayerGzip, "layer"],
  [mediaTypes.dockerLayer, "layer"],
  [mediaTypes.dockerLayerGzip, "layer"],
  [mediaTypes.dockerForeignLayerGzip, "layer"],
  [mediaTypes.erofsLayer, "layer"],
  ["application/vnd.oci.image.layer.v1.tar+gzip+encrypted", "layer"],
  ["application/vnd.oci.image.layer.v2.squashfs", "layer"],
  ["application/vnd.docker.image.rootfs.diff.tar.gzip+encrypted", "layer"],
  ["application/vnd.oci.empty.v1+json", "other"],
  [mediaTypes.checkpoint, "other"],
  [mediaTypes.checkpointConfig, "other"],
  ["application/vnd.in-toto+json", "other"],
  ["application/vnd.oci.artifact.manifest.v1+json", "other"],
  ["application/vnd.cncf.helm.chart.content.v1.tar+gzip", "other"],
  ["application/vnd.docker.image.rootfs.diff.tar.bzip2", "other"],
  [`${mediaTypes.ociManifest} `, "other"],
  [mediaTypes.ociManifest.toUpperCase(), "other"],
  [`${mediaTypes.ociIndex}; charset=utf-8`, "other"],
  [`x${mediaTypes.dockerLayer}`, "other"],
  ["application/vnd.docker.image.rootfs.diff.tar\n+gzip", "other"],
  ["", "other"],
];

Deno.test("every media type is of exactly one kind", () => {
  for (const [mediaType, kind] of kinds) {
    const found = {
      index: isIndex(mediaType),
      manifest: isManifest(mediaType),
      schema1: isSchema1(mediaType),
      config: isConfig(mediaType),
      layer: isLayer(mediaType),
    };
    assertEquals(
      Object.entries(found).filter(([, is]) => is).map(([name]) => name),
      kind === "other" ? [] : [kind],
      mediaType,
    );
    assertEquals(hasChildren(mediaType), kind === "index" || kind === "manifest", mediaType);
  }
});

Deno.test("isNonDistributable() knows the foreign layers of both formats", () => {
  const foreign = Object.entries(mediaTypes).filter(([, mediaType]) => isNonDistributable(mediaType));
  assertEquals(foreign.map(([name]) => name), [
    "ociForeignLayer",
    "ociForeignLayerGzip",
    "ociForeignLayerZstd",
    "dockerForeignLayer",
    "dockerForeignLayerGzip",
  ]);
});

Deno.test("layerCompression() believes only what can be relied on", () => {
  const cases: [string, string | undefined][] = [
    [mediaTypes.ociLayer, "none"],
    [mediaTypes.ociLayerGzip, "gzip"],
    [mediaTypes.ociLayerZstd, "zstd"],
    [mediaTypes.ociForeignLayerZstd, "zstd"],
    [mediaTypes.dockerLayerGzip, "gzip"],
    [mediaTypes.dockerForeignLayerGzip, "gzip"],
    [mediaTypes.dockerLayer, undefined],
    [`${mediaTypes.ociLayerGzip}+encrypted`, undefined],
    [mediaTypes.ociConfig, undefined],
    ["", undefined],
  ];
  for (const [mediaType, compression] of cases) {
    assertEquals(layerCompression(mediaType), compression, mediaType);
  }
});
