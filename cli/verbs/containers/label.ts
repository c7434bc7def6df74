import { parseLabels } from "../../labels.ts";
import { defineVerb } from "../../verb.ts";

interface Row {
  id: string;
  /** All that it has now. */
  labels: Record<string, string>;
}

export default defineVerb({
  summary: "Set and remove labels of a container, or show them",
  examples: ["containers label web tier=front owner="],
  args: [
    { name: "ID", summary: "of a container", completes: "container" },
    {
      name: "KEY=VALUE",
      summary: "KEY= removes, KEY alone stands for KEY=true; without, nothing changes",
      optional: true,
      repeats: true,
    },
  ],
  columns: [
    { header: "CONTAINER", key: "id" },
    { header: "LABELS", key: "labels", as: "labels" },
  ],
  async run({ args: [id = "", ...words], namespaced, signal }): Promise<Row> {
    const change = parseLabels(words);
    const { containers } = await namespaced();
    const { labels } = await containers.update(id, { labels: change, signal });
    return { id, labels };
  },
});
