import { each } from "../../each.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Stop all processes of containers where they are",
  examples: ["tasks pause web"],
  args: [{ name: "ID", summary: "of its container", repeats: true, completes: "task" }],
  async *run(context): AsyncIterable<string> {
    const { args, namespaced, signal } = context;
    const { tasks } = await namespaced();
    yield* each(args, {
      context,
      async work(id) {
        await tasks.pause(id, { signal });
        return id;
      },
    });
  },
});
