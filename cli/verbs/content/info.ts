import { type ContentInfo, NotFoundError } from "../../../mod.ts";
import { missingContent } from "../../elsewhere.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Show size, age and labels of a blob",
  examples: [`content info sha256:${"0".repeat(64)}`],
  args: [{ name: "DIGEST", summary: "of a blob", completes: "content" }],
  async run(context): Promise<ContentInfo> {
    const { args: [digest = ""], namespaced, signal } = context;
    const { content } = await namespaced();
    return await content.info(digest, { signal }).catch(async (error) => {
      throw error instanceof NotFoundError ? await missingContent(digest, { action: "get", context }) : error;
    });
  },
});
