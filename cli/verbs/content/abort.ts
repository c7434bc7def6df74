import { each } from "../../each.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Throw away what was written of blobs that are not complete",
  examples: ["content abort upload-1 upload-2"],
  args: [{ name: "REF", summary: "as content active lists it", repeats: true, completes: "ingest" }],
  options: {
    ignoreMissing: { type: "boolean", summary: "a write that does not exist is as good as aborted" },
  },
  async *run(context): AsyncIterable<string> {
    const { args, options: { ignoreMissing }, namespaced, signal } = context;
    const { content } = await namespaced();
    yield* each(args, {
      context,
      ignoreMissing,
      async work(ref) {
        await content.abort(ref, { signal });
        return ref;
      },
    });
  },
});
