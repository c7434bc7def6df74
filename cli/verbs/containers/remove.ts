import { removeContainer } from "../../../mod.ts";
import { each } from "../../each.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Remove containers with their tasks and snapshots; not while a task runs",
  examples: ["containers remove web", "containers remove -f web"],
  args: [{ name: "ID", summary: "of a container", repeats: true, completes: "container" }],
  options: {
    force: { type: "boolean", short: "f", summary: "end its task first if it runs" },
    keepSnapshot: {
      type: "boolean",
      summary: "leave its snapshot, which nothing then keeps from collection",
    },
    ignoreMissing: { type: "boolean", summary: "pass over those that are not there" },
  },
  async *run(context): AsyncIterable<string> {
    const { args, options: { ignoreMissing, ...options }, namespaced, signal } = context;
    const client = await namespaced();
    yield* each(args, {
      context,
      ignoreMissing,
      async work(id) {
        await removeContainer(client, id, { ...options, signal });
        return id;
      },
    });
  },
});
