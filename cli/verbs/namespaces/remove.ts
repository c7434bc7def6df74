import { removeNamespace } from "../../../mod.ts";
import { each } from "../../each.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Remove namespaces that hold no images and no containers",
  examples: ["namespaces remove build", "namespaces remove build test --ignore-missing"],
  args: [{ name: "NAME", summary: "namespace", repeats: true, completes: "namespace" }],
  options: {
    ignoreMissing: { type: "boolean", summary: "a namespace that does not exist is as good as removed" },
    deleteLeases: {
      type: "boolean",
      summary: "also when somebody holds a lease in it, and may be at work there",
    },
  },
  async *run(context): AsyncIterable<string> {
    const { args, options: { ignoreMissing, deleteLeases }, client, signal } = context;
    const connection = await client();
    yield* each(args, {
      context,
      ignoreMissing,
      async work(name) {
        await removeNamespace(connection, name, { deleteLeases, signal });
        return name;
      },
    });
  },
});
