import { importImages, type ImportResult } from "../../../mod.ts";
import { openInput } from "../../input.ts";
import { unpackOptions } from "../../unpack_options.ts";
import { unpackArrived } from "../../unpacking.ts";
import { defineVerb } from "../../verb.ts";

interface Row extends ImportResult {
  /** Whether it can be run as it is. */
  unpacked: boolean;
}

export default defineVerb({
  summary: "Import images from an OCI or docker archive, and unpack them",
  examples: [
    "images import busybox.tar",
    "-n k8s.io images import app.tar.gz",
    "images import - --no-unpack < app.tar",
  ],
  args: [{ name: "FILE", summary: "tar archive, plain or packed with gzip; - is stdin", completes: "file" }],
  options: {
    noUnpack: { type: "boolean", summary: "leave the unpacking to whoever runs an image first" },
    platform: {
      type: "string",
      placeholder: "OS/ARCH",
      summary: "only this platform, which must be complete, and what to unpack [all, this machine's]",
    },
    baseName: {
      type: "string",
      placeholder: "NAME",
      summary: "repository of names that are a tag alone, and of no other names [import-<date>]",
    },
    digests: { type: "boolean", summary: "give every image a name by its digest, too" },
    indexName: { type: "string", placeholder: "NAME", summary: "keep the archive's index under this name" },
    ...unpackOptions,
  },
  columns: [
    { header: "REF", key: "image" },
    { header: "DIGEST", key: "digest" },
    { header: "SIZE", key: "size", as: "bytes" },
    { header: "STATUS", key: "status" },
    { header: "UNPACKED", key: "unpacked" },
    { header: "WRITTEN", key: "written", wide: true },
    { header: "SHARED", key: "shared", wide: true },
    { header: "EXISTING", key: "existing", wide: true },
    { header: "MOVED", key: "bytesMoved", as: "bytes", wide: true },
  ],
  async *run(context): AsyncIterable<Row> {
    const { args: [path = "-"], options, namespaced, log, progress, stdin, signal } = context;
    const client = await namespaced();
    const { stream, size } = await openInput(path, { what: "archive", stdin });
    const platforms = options.platform === undefined ? [] : [options.platform];
    const { baseName, digests, indexName } = options;
    const names = { baseName, digests, indexName };
    const results = await importImages(client, stream, {
      ...names,
      platforms,
      size,
      onProgress: progress,
      signal,
    });
    for (const { image, reason } of results) {
      if (reason !== undefined) log.warn(`Image ${JSON.stringify(image)}: ${reason}`);
    }
    for (const result of results) {
      const unpacked = !options.noUnpack &&
        await unpackArrived({ client, name: result.image, platforms }, context);
      yield { ...result, unpacked };
    }
  },
});
