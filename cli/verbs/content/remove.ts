import { each } from "../../each.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Remove blobs, even those that an image needs",
  examples: [`content remove sha256:${"0".repeat(64)}`],
  args: [{ name: "DIGEST", summary: "of a blob", repeats: true, completes: "content" }],
  options: {
    ignoreMissing: { type: "boolean", summary: "a blob that does not exist is as good as removed" },
  },
  async *run(context): AsyncIterable<string> {
    const { args, options: { ignoreMissing }, namespaced, signal } = context;
    const { content } = await namespaced();
    yield* each(args, {
      context,
      ignoreMissing,
      async work(digest) {
        await content.delete(digest, { signal });
        return digest;
      },
    });
  },
});
