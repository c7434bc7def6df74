import { parseLabels } from "../../labels.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Set and remove labels of a namespace",
  examples: ["namespaces label build owner=ci", "namespaces label build owner="],
  args: [
    { name: "NAME", summary: "namespace", completes: "namespace" },
    { name: "KEY=VALUE", summary: "KEY= removes, KEY alone stands for KEY=true", repeats: true },
  ],
  async run({ args: [name = "", ...words], client, signal }): Promise<void> {
    const labels = parseLabels(words);
    const { namespaces } = await client();
    await namespaces.update(name, { labels, signal });
  },
});
