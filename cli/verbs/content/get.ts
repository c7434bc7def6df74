import { NotFoundError } from "../../../mod.ts";
import { missingContent } from "../../elsewhere.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Print the bytes of a blob, checked against its digest",
  examples: [`content get sha256:${"0".repeat(64)}`],
  args: [{ name: "DIGEST", summary: "of a blob", completes: "content" }],
  bytes: true,
  async *run(context): AsyncIterable<Uint8Array> {
    const { args: [digest = ""], namespaced, signal } = context;
    const { content } = await namespaced();
    try {
      const { size } = await content.info(digest, { signal });
      yield* content.readVerified({ digest, size }, { signal });
    } catch (error) {
      throw error instanceof NotFoundError ? await missingContent(digest, { action: "get", context }) : error;
    }
  },
});
