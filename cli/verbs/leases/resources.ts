import type { Resource } from "../../../mod.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "List what a lease holds",
  examples: ["leases resources upload", "leases resources upload -q"],
  args: [{ name: "ID", summary: "lease", completes: "lease" }],
  columns: [
    { header: "ID", key: "id" },
    { header: "TYPE", key: "type" },
  ],
  async *run({ args: [id = ""], namespaced, signal }): AsyncIterable<Resource> {
    const { leases } = await namespaced();
    yield* leases.listResources(id, { signal });
  },
});
