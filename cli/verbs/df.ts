import { type DiskUsage, diskUsage } from "../../mod.ts";
import { defineVerb } from "../verb.ts";

interface Row extends DiskUsage {
  /** `(total)`, which no namespace can be called, in the last row. */
  namespace: string;
}

export default defineVerb({
  summary: "Show what namespaces take of the disk",
  examples: ["df", "df -n k8s.io", "df -o json"],
  columns: [
    { header: "NAMESPACE", key: "namespace" },
    { header: "IMAGES", key: "images" },
    { header: "UNIQUE", key: "uniqueBytes", as: "bytes" },
    { header: "SHARED", key: "sharedBytes", as: "bytes" },
    { header: "SNAPSHOTS", key: "snapshotBytes", as: "bytes" },
    { header: "INGESTS", key: "ingestBytes", as: "bytes" },
    { header: "TOTAL", key: "bytes", as: "bytes" },
    { header: "#BLOBS", key: "blobs", wide: true },
    { header: "#SNAPSHOTS", key: "snapshots", wide: true },
    { header: "#INGESTS", key: "ingests", wide: true },
  ],
  acrossNamespaces: true,
  async run({ client, onlyNamespace, quiet, signal }): Promise<Row[]> {
    const { namespaces, total } = await diskUsage(await client(), { only: onlyNamespace, signal });
    const hasTotal = onlyNamespace === undefined && !quiet;
    return hasTotal ? [...namespaces, { namespace: "(total)", ...total }] : namespaces;
  },
});
