import { exactly } from "../../json.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Show all about a container, with the spec that its runtime gets",
  examples: ["containers info web", "containers info --spec web"],
  args: [{ name: "ID", summary: "of a container", completes: "container" }],
  options: { spec: { type: "boolean", summary: "show the spec alone" } },
  async run({ args: [id = ""], options, namespaced, signal }): Promise<object> {
    const { containers } = await namespaced();
    const spec = exactly(await containers.spec(id, { signal })) as object;
    return options.spec ? spec : { ...await containers.get(id, { signal }), spec };
  },
});
