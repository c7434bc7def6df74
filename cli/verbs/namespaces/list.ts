import { mapNamespaces, type Namespace, type NamespaceUsage, namespaceUsage } from "../../../mod.ts";
import { defineVerb } from "../../verb.ts";

type Row = Namespace & Partial<NamespaceUsage>;

export default defineVerb({
  summary: "List namespaces",
  examples: ["namespaces list", "namespaces list -o wide", "namespaces list -q"],
  columns: [
    { header: "NAME", key: "name" },
    { header: "LABELS", key: "labels", as: "labels" },
    { header: "IMAGES", key: "images", wide: true },
    { header: "CONTAINERS", key: "containers", wide: true },
    { header: "TASKS", key: "tasks", wide: true },
    { header: "BLOBS", key: "blobs", wide: true },
    { header: "LEASES", key: "leases", wide: true },
    { header: "BYTES", key: "bytes", as: "bytes", wide: true },
    { header: "SANDBOXES", key: "sandboxes", wide: true },
  ],
  async *run({ client, wide, signal }): AsyncIterable<Row> {
    const connection = await client();
    if (!wide) return yield* connection.namespaces.list({ signal });
    yield* mapNamespaces(connection, async (namespaced, namespace) => ({
      ...namespace,
      ...await namespaceUsage(namespaced, { signal }),
    }), { signal });
  },
});
