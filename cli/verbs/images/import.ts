import { importImages } from "../../../mod.ts";
import { openInput } from "../../input.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Import images from an OCI or docker archive, without unpacking them",
  examples: ["images import busybox.tar", "-n k8s.io images import app.tar.gz", "images import - < app.tar"],
  args: [{ name: "FILE", summary: "tar archive, plain or packed with gzip; - is stdin", completes: "file" }],
  columns: [
    { header: "REF", key: "image" },
    { header: "DIGEST", key: "digest" },
    { header: "SIZE", key: "size", as: "bytes" },
    { header: "STATUS", key: "status" },
    { header: "WRITTEN", key: "written", wide: true },
    { header: "SHARED", key: "shared", wide: true },
    { header: "EXISTING", key: "existing", wide: true },
    { header: "MOVED", key: "bytesMoved", as: "bytes", wide: true },
  ],
  async run(context) {
    const { args: [path = "-"], namespaced, log, progress, stdin, signal } = context;
    const client = await namespaced();
    const { stream, size } = await openInput(path, { what: "archive", stdin });
    const results = await importImages(client, stream, { size, onProgress: progress, signal });
    for (const { image, reason } of results) {
      if (reason !== undefined) log.warn(`Image ${JSON.stringify(image)}: ${reason}`);
    }
    return results;
  },
});
