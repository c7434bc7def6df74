import { NotFoundError } from "../../../mod.ts";
import { missingImage } from "../../elsewhere.ts";
import { parseLabels } from "../../labels.ts";
import { defineVerb } from "../../verb.ts";

interface Row {
  name: string;
  /** All that it has now. */
  labels: Record<string, string>;
}

export default defineVerb({
  summary: "Set and remove labels of an image, or show them",
  examples: ["images label example.com/app:1 owner=ci", "images label example.com/app:1 owner="],
  args: [
    { name: "NAME", summary: "image", completes: "image" },
    {
      name: "KEY=VALUE",
      summary: "KEY= removes, KEY alone stands for KEY=true; without, nothing changes",
      optional: true,
      repeats: true,
    },
  ],
  columns: [
    { header: "REF", key: "name" },
    { header: "LABELS", key: "labels", as: "labels" },
  ],
  async run(context): Promise<Row> {
    const { args: [name = "", ...words], namespaced, signal } = context;
    const change = parseLabels(words);
    const { images } = await namespaced();
    const { labels } = await images.update({ name, labels: change }, { signal }).catch(async (error) => {
      throw error instanceof NotFoundError ? await missingImage(name, { action: "label", context }) : error;
    });
    return { name, labels };
  },
});
