import type { DaemonPlugin } from "../../../mod.ts";
import { defineVerb } from "../../verb.ts";

interface Row extends DaemonPlugin {
  /** `skip`: this machine or the configuration has no use for it. */
  status: "ok" | "skip" | "error";
}

export default defineVerb({
  summary: "List the plugins that containerd consists of",
  examples: ["daemon plugins", "daemon plugins -o wide type==io.containerd.snapshotter.v1"],
  args: [{ name: "FILTER", summary: "in containerd's syntax; default: all", optional: true, repeats: true }],
  columns: [
    { header: "TYPE", key: "type" },
    { header: "ID", key: "id" },
    { header: "PLATFORMS", key: "platforms", as: "list" },
    { header: "STATUS", key: "status" },
    { header: "CAPABILITIES", key: "capabilities", as: "list", wide: true },
    { header: "EXPORTS", key: "exports", as: "labels", wide: true },
    { header: "ERROR", key: "initError", wide: true },
  ],
  async *run({ args, client, signal }): AsyncIterable<Row> {
    const { introspection } = await client();
    for await (const plugin of introspection.plugins({ filters: [...args], signal })) {
      yield { ...plugin, status: statusOf(plugin) };
    }
  },
});

/** containerd tells the two kinds of errors apart by their text alone. */
function statusOf({ initError }: DaemonPlugin): Row["status"] {
  if (initError === undefined) return "ok";
  return initError.includes("skip plugin") ? "skip" : "error";
}
