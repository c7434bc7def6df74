import { createContainer } from "../../../mod.ts";
import { containerArguments, containerOptions, readContainer } from "../../container_options.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Make a container without starting it; tasks start does that",
  examples: [
    "containers create --net-host example.com/web:1 web",
    "containers create --config spec.json web",
  ],
  args: containerArguments,
  options: containerOptions,
  commandAfter: 2,
  async run(context): Promise<string> {
    const client = await context.namespaced();
    const { id } = await createContainer(client, await readContainer(client, context));
    return id;
  },
});
