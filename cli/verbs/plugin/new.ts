import { isBuiltIn } from "../../plugin/listing.ts";
import { pluginNames, templates, writePlugin } from "../../plugin/templates.ts";
import { UsageError } from "../../errors.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Write a plugin that works, its test, and what editors need, into this folder",
  examples: ["plugin new keep-last --template prune"],
  args: [{ name: "NAME", summary: "of the plugin: lower-case words with dashes" }],
  options: {
    template: {
      type: "string",
      choices: templates,
      default: "report",
      placeholder: "KIND",
      summary: "what it does to begin with",
    },
  },
  columns: [{ header: "WRITTEN", key: "path" }],
  async run({ args: [name = ""], options: { template }, log }) {
    if (!pluginNames.test(name)) {
      throw new UsageError(
        `Cannot name a plugin ${JSON.stringify(name)}: expected lower-case words with dashes`,
      );
    }
    const paths = await writePlugin(name, template);
    if (isBuiltIn(name)) {
      log.warn(`davit has a "${name}" of its own: davit plugin run ${name} will run the plugin`);
    }
    log.info(`Try it: davit plugin test, and davit ./${name.replaceAll("-", "_")}.ts --help`);
    return paths.map((path) => ({ path: `./${path}` }));
  },
});
