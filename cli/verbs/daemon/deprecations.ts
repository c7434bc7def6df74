import type { Deprecation } from "../../../mod.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "List what was used and what later versions of containerd will not have",
  examples: ["daemon deprecations", "daemon deprecations -o json"],
  columns: [
    { header: "ID", key: "id" },
    { header: "LAST OCCURRENCE", key: "lastOccurrence", as: "age" },
    { header: "MESSAGE", key: "message" },
  ],
  async *run({ client, signal }): AsyncIterable<Deprecation> {
    yield* (await client()).introspection.deprecations({ signal });
  },
});
