import { NotFoundError } from "../../../mod.ts";
import { missingContent } from "../../elsewhere.ts";
import { parseLabels } from "../../labels.ts";
import { defineVerb } from "../../verb.ts";

interface Row {
  digest: string;
  /** All that it has now. */
  labels: Record<string, string>;
}

export default defineVerb({
  summary: "Set and remove labels of a blob, or show them",
  examples: [`content label sha256:${"0".repeat(64)} owner=ci`],
  args: [
    { name: "DIGEST", summary: "of a blob", completes: "content" },
    {
      name: "KEY=VALUE",
      summary: "KEY= removes, KEY alone stands for KEY=true; without, nothing changes",
      optional: true,
      repeats: true,
    },
  ],
  columns: [
    { header: "DIGEST", key: "digest" },
    { header: "LABELS", key: "labels", as: "labels" },
  ],
  async run(context): Promise<Row> {
    const { args: [digest = "", ...words], namespaced, signal } = context;
    const change = parseLabels(words);
    const { content } = await namespaced();
    const { labels } = await content.update(digest, { labels: change, signal }).catch(async (error) => {
      throw error instanceof NotFoundError
        ? await missingContent(digest, { action: "label", context })
        : error;
    });
    return { digest, labels };
  },
});
