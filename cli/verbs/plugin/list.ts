import { shippedPlugins } from "../../plugin/shipped.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "List the plugins that come with davit, and what they may reach",
  examples: ["plugin list"],
  columns: [
    { header: "NAME", key: "name" },
    { header: "NAMESPACES", key: "namespaces" },
    { header: "WRITES", key: "write" },
    { header: "SUMMARY", key: "summary" },
  ],
  run() {
    return shippedPlugins.map(({ name, summary, access }) => ({ name, ...access, summary }));
  },
});
