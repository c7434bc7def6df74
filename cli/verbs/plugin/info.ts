import { dirname } from "@std/path";
import { accessOf, type Definition } from "../../plugin/definition.ts";
import { permitsOf } from "../../plugin/explanation.ts";
import { isPath } from "../../plugin/file.ts";
import { loadPlugins } from "../../plugin/host.ts";
import { installedPlugin } from "../../plugin/installed.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Show what a plugin says of itself, and what it may reach",
  examples: ["plugin info image-sync", "plugin info ./notify.ts --explain --allow-net hooks.example.com"],
  args: [{ name: "PLUGIN", summary: "its file, or its name", completes: "plugin" }],
  options: {
    explain: {
      type: "boolean",
      summary: "say in words what it may do, with the flags that are given, and who lets it",
    },
  },
  tellsOfPlugins: true,
  async run({ args: [target = ""], options: { explain }, plugins: settings, namespace, noWrites, signal }) {
    using loaded = await loadPlugins(target, { settings, signal });
    const { definitions, grants } = loaded;
    const path = isPath(target)
      ? await Deno.realPath(target)
      : (await installedPlugin(target, settings))!.path;
    if (explain) {
      const circumstances = { grants, flags: settings.flags, noWrites, namespace, folder: dirname(path) };
      return [definitions].flat().flatMap((definition) => permitsOf(definition, circumstances));
    }
    const shown = (definition: Definition) => ({ ...definition, access: accessOf(definition), grants, path });
    return "name" in definitions ? shown(definitions) : definitions.map(shown);
  },
});
