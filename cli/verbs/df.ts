import { type DiskUsage, diskUsage, findReclaimable, type Reclaimable } from "../../mod.ts";
import { defineVerb } from "../verb.ts";

interface Row extends DiskUsage, Partial<Reclaimable> {
  /** `(total)`, which no namespace can be called, in the last row. */
  namespace: string;
}

export default defineVerb({
  summary: "Show what namespaces take of the disk, and what of that could be free; images df: by image",
  examples: ["df", "df -n k8s.io", "df -o wide", "df -o json"],
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
    { header: "GARBAGE", key: "garbageBytes", as: "bytes", wide: true },
    { header: "UNUSED", key: "unusedBytes", as: "bytes", wide: true },
  ],
  acrossNamespaces: true,
  async run({ client, onlyNamespace, wide, quiet, signal }): Promise<Row[]> {
    const connection = await client();
    const { namespaces, total } = await diskUsage(connection, { only: onlyNamespace, signal });
    const free = wide ? await findReclaimable(connection, { signal }) : undefined;
    const rows = namespaces.map((usage): Row => ({ ...usage, ...free?.namespaces.get(usage.namespace) }));
    const hasTotal = onlyNamespace === undefined && !quiet;
    return hasTotal ? [...rows, { namespace: "(total)", ...total, ...free?.total }] : rows;
  },
});
