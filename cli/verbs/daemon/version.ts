import type { DaemonVersion } from "../../../mod.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Show the version of containerd",
  examples: ["daemon version", "daemon version -q"],
  columns: [
    { header: "VERSION", key: "version" },
    { header: "REVISION", key: "revision" },
  ],
  async run({ client, signal }): Promise<DaemonVersion> {
    return await (await client()).introspection.version({ signal });
  },
});
