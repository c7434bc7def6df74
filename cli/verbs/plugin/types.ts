import { writeTypes } from "../../plugin/declarations.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Write the types of the API into a folder of plugins, for editors",
  examples: ["plugin types", "plugin types /etc/davit/plugins"],
  args: [{
    name: "FOLDER",
    summary: "where the plugins are; else this one",
    optional: true,
    completes: "file",
  }],
  columns: [{ header: "WRITTEN", key: "path" }],
  async run({ args: [folder = "."] }) {
    return (await writeTypes(folder)).map((path) => ({ path: `${folder.replace(/\/+$/, "")}/${path}` }));
  },
});
