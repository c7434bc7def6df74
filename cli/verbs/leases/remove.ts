import { each } from "../../each.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Remove leases; what only they held is collected afterwards",
  examples: ["leases remove 1", "leases remove upload-1 upload-2 --sync"],
  args: [{ name: "ID", summary: "lease", repeats: true, completes: "lease" }],
  options: {
    sync: { type: "boolean", summary: "wait until what they held is collected" },
    ignoreMissing: { type: "boolean", summary: "a lease that does not exist is as good as removed" },
  },
  async *run(context): AsyncIterable<string> {
    const { args, options: { sync, ignoreMissing }, namespaced, signal } = context;
    const { leases } = await namespaced();
    const removed = yield* each(args, {
      context,
      ignoreMissing,
      async work(id) {
        await leases.delete(id, { signal });
        return id;
      },
    });
    if (sync && removed > 0) await leases.collectGarbage({ signal });
  },
});
