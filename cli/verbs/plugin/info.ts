import { isPath } from "../../plugin/file.ts";
import { accessOf, type Definition } from "../../plugin/definition.ts";
import { loadPlugins } from "../../plugin/host.ts";
import { installedPlugin } from "../../plugin/installed.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Show what a plugin says of itself, and what it may reach",
  examples: ["plugin info ./keep_last.ts", "plugin info image-sync"],
  args: [{ name: "PLUGIN", summary: "its file, or its name", completes: "plugin" }],
  async run({ args: [target = ""], plugins: settings, signal }) {
    using loaded = await loadPlugins(target, { settings, signal });
    const { definitions, grants } = loaded;
    const path = isPath(target)
      ? await Deno.realPath(target)
      : (await installedPlugin(target, settings))?.path;
    const shown = (definition: Definition) => ({ ...definition, access: accessOf(definition), grants, path });
    return "name" in definitions ? shown(definitions) : definitions.map(shown);
  },
});
