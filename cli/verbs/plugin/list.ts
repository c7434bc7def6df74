import { pluginFolders } from "../../plugin/installed.ts";
import { listedPlugins } from "../../plugin/listing.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "List the plugins that are installed, what they may reach, and what is wrong with them",
  examples: ["plugin list", "plugin list --paths"],
  options: {
    paths: {
      type: "boolean",
      summary: "in the order in which they are looked for, with those that others hide, and the folders",
    },
  },
  async run({ options, plugins, log, signal }) {
    const listed = await listedPlugins(plugins, { hidden: options.paths, signal });
    if (options.paths) {
      for (const { source, path } of pluginFolders(plugins)) log.info(`${source}: ${path}`);
      return listed.map(({ name, source, path, problem }) => ({ name, source, path, problem }));
    }
    return listed.map(({ name, namespaces, write, summary, problem }) => ({
      name,
      namespaces,
      write,
      summary,
      problem,
    }));
  },
});
