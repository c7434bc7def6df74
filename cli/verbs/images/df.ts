import { type ImageDiskUsage, imageDiskUsage, loadGraphs } from "../../../mod.ts";
import { defineVerb } from "../../verb.ts";

interface Row extends Omit<ImageDiskUsage, "image"> {
  /** `(none)` for the content of no image; `(total)` in the last row. */
  image: string;
  bytes: number;
}

export default defineVerb({
  summary: "Show what of the content of images is theirs alone, and what others have too",
  examples: ["images df", "images df -n k8s.io", "images df -o json"],
  columns: [
    { header: "NAMESPACE", key: "namespace" },
    { header: "REF", key: "image" },
    { header: "UNIQUE", key: "uniqueBytes", as: "bytes" },
    { header: "SHARED", key: "sharedBytes", as: "bytes" },
    { header: "TOTAL", key: "bytes", as: "bytes" },
    { header: "#BLOBS", key: "blobs", wide: true },
  ],
  acrossNamespaces: true,
  async run({ client, onlyNamespace, quiet, signal }): Promise<Row[]> {
    const connection = await client();
    if (onlyNamespace !== undefined) await connection.namespaces.get(onlyNamespace, { signal });
    const { images, total } = imageDiskUsage(await loadGraphs(connection, { signal }), {
      only: onlyNamespace,
    });
    const rows = images.map(({ image = "(none)", ...usage }) => row({ ...usage, image }));
    if (quiet) return rows;
    return [...rows, row({ namespace: "(total)", image: "(total)", ...total })];
  },
});

function row(usage: Omit<Row, "bytes">): Row {
  return { ...usage, bytes: usage.uniqueBytes + usage.sharedBytes };
}
