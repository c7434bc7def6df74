import { ContainerdError } from "../../../mod.ts";
import { each } from "../../each.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Remove sandboxes, and end what runs of them; containers in them stay",
  examples: ["sandboxes remove -n k8s.io 4f1c9a", "sandboxes remove pod-1 pod-2 --ignore-missing"],
  args: [{ name: "ID", summary: "sandbox", repeats: true, completes: "sandbox" }],
  options: {
    force: { type: "boolean", short: "f", summary: "also when what runs of it cannot be ended" },
    ignoreMissing: { type: "boolean", summary: "a sandbox that does not exist is as good as removed" },
  },
  async *run(context): AsyncIterable<string> {
    const { args, options: { force, ignoreMissing }, namespaced, log, signal } = context;
    const { sandboxes } = await namespaced();
    yield* each(args, {
      context,
      ignoreMissing,
      async work(id) {
        const sandbox = await sandboxes.get(id, { signal });
        await sandboxes.stop(sandbox, { signal }).catch((error) => {
          if (!force || !(error instanceof ContainerdError)) throw error;
          log.warn(error.message);
        });
        await sandboxes.delete(id, { signal });
        return id;
      },
    });
  },
});
