import { accessOf } from "../../plugin/definition.ts";
import { openPlugin } from "../../plugin/host.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Show what a plugin says of itself, and what it may reach",
  examples: ["plugin info ./keep_last.ts", "plugin info image-sync"],
  args: [{ name: "PLUGIN", summary: "its file, or its name", completes: "plugin" }],
  async run({ args: [target = ""], signal }) {
    using plugin = await openPlugin(target, { signal });
    const { definition } = plugin;
    return { ...definition, access: accessOf(definition) };
  },
});
