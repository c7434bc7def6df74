import { each } from "../../each.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Let paused processes go on",
  examples: ["tasks resume web"],
  args: [{ name: "ID", summary: "of its container", repeats: true, completes: "task" }],
  async *run(context): AsyncIterable<string> {
    const { args, namespaced, signal } = context;
    const { tasks } = await namespaced();
    yield* each(args, {
      context,
      async work(id) {
        await tasks.resume(id, { signal });
        return id;
      },
    });
  },
});
