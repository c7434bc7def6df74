import { each } from "../../each.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Remove sandboxes, and end what runs of them; containers in them stay",
  examples: ["sandboxes remove -n k8s.io 4f1c9a", "sandboxes remove pod-1 pod-2 --ignore-missing"],
  args: [{ name: "ID", summary: "sandbox", repeats: true, completes: "sandbox" }],
  options: {
    ignoreMissing: { type: "boolean", summary: "a sandbox that does not exist is as good as removed" },
  },
  async *run(context): AsyncIterable<string> {
    const { args, options: { ignoreMissing }, namespaced, signal } = context;
    const { sandboxes } = await namespaced();
    yield* each(args, {
      context,
      ignoreMissing,
      async work(id) {
        await sandboxes.stop(await sandboxes.get(id, { signal }), { signal });
        await sandboxes.delete(id, { signal });
        return id;
      },
    });
  },
});
