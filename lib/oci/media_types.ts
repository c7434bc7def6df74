/**
 * The media types of images that containerd knows by name.
 *
 * @see {@link https://github.com/opencontainers/image-spec/blob/v1.1.1/media-types.md}
 * @see {@link https://github.com/containerd/containerd/blob/v2.1.9/core/images/mediatypes.go}
 */
export const mediaTypes = {
  ociIndex: "application/vnd.oci.image.index.v1+json",
  ociManifest: "application/vnd.oci.image.manifest.v1+json",
  ociConfig: "application/vnd.oci.image.config.v1+json",
  ociLayer: "application/vnd.oci.image.layer.v1.tar",
  ociLayerGzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  ociLayerZstd: "application/vnd.oci.image.layer.v1.tar+zstd",
  ociForeignLayer: "application/vnd.oci.image.layer.nondistributable.v1.tar",
  ociForeignLayerGzip: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
  ociForeignLayerZstd: "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
  dockerManifestList: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerConfig: "application/vnd.docker.container.image.v1+json",
  dockerLayer: "application/vnd.docker.image.rootfs.diff.tar",
  dockerLayerGzip: "application/vnd.docker.image.rootfs.diff.tar.gzip",
  dockerLayerZstd: "application/vnd.docker.image.rootfs.diff.tar.zstd",
  dockerForeignLayer: "application/vnd.docker.image.rootfs.foreign.diff.tar",
  dockerForeignLayerGzip: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
  erofsLayer: "application/vnd.erofs.layer.v1",
  checkpoint: "application/vnd.containerd.container.criu.checkpoint.criu.tar",
  checkpointConfig: "application/vnd.containerd.container.checkpoint.config.v1+proto",
} as const;

/** How the tar archive of a layer is packed. */
export type Compression = "none" | "gzip" | "zstd";

const compressions: ReadonlyMap<string, Compression> = new Map([
  [mediaTypes.ociLayer, "none"],
  [mediaTypes.ociLayerGzip, "gzip"],
  [mediaTypes.ociLayerZstd, "zstd"],
  [mediaTypes.ociForeignLayer, "none"],
  [mediaTypes.ociForeignLayerGzip, "gzip"],
  [mediaTypes.ociForeignLayerZstd, "zstd"],
  [mediaTypes.dockerLayerGzip, "gzip"],
  [mediaTypes.dockerLayerZstd, "zstd"],
  [mediaTypes.dockerForeignLayerGzip, "gzip"],
]);

const layersBesideOci: ReadonlySet<string> = new Set([
  mediaTypes.dockerLayer,
  mediaTypes.dockerLayerGzip,
  mediaTypes.dockerLayerZstd,
  mediaTypes.dockerForeignLayer,
  mediaTypes.dockerForeignLayerGzip,
  mediaTypes.erofsLayer,
]);

/** Whether content of this type lists manifests, one per platform: an OCI index or a docker manifest list. */
export function isIndex(mediaType: string): boolean {
  return mediaType === mediaTypes.ociIndex || mediaType === mediaTypes.dockerManifestList;
}

/** Whether content of this type is one image: a config and its layers. Docker's schema 1 is not. */
export function isManifest(mediaType: string): boolean {
  return mediaType === mediaTypes.ociManifest || mediaType === mediaTypes.dockerManifest;
}

/** Whether content of this type is docker's manifest of before 2016, signed or not, which containerd cannot use. */
export function isSchema1(mediaType: string): boolean {
  return /^application\/vnd\.docker\.distribution\.manifest\.v1\+(?:json|prettyjws)$/.test(mediaType);
}

/** Whether content of this type is an image's configuration: platform, diff ids, history. */
export function isConfig(mediaType: string): boolean {
  return mediaType === mediaTypes.ociConfig || mediaType === mediaTypes.dockerConfig;
}

/** Whether content of this type is a filesystem layer, in any compression, encrypted or not. */
export function isLayer(mediaType: string): boolean {
  return mediaType.startsWith("application/vnd.oci.image.layer.") ||
    layersBesideOci.has(mediaType.replace(/\+.*/s, ""));
}

/** Whether a layer of this type stays where its `urls` say and is not pushed along: Windows base layers. */
export function isNonDistributable(mediaType: string): boolean {
  return mediaType.startsWith("application/vnd.oci.image.layer.nondistributable.") ||
    mediaType.startsWith("application/vnd.docker.image.rootfs.foreign.");
}

/**
 * The compression that a layer's type promises. `undefined` where it promises none to rely on: encrypted, unknown, no
 * layer, or docker's plain type, which in practice names compressed layers too.
 */
export function layerCompression(mediaType: string): Compression | undefined {
  return compressions.get(mediaType);
}

/** Whether content of this type points to other content; everything else is a leaf, known or not. */
export function hasChildren(mediaType: string): boolean {
  return isIndex(mediaType) || isManifest(mediaType);
}
