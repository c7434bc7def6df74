import { nearNamespace } from "../../elsewhere.ts";
import { parseLabels } from "../../labels.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Set and remove labels of a namespace",
  examples: ["namespaces label build owner=ci", "namespaces label build owner="],
  args: [
    { name: "NAME", summary: "namespace", completes: "namespace" },
    { name: "KEY=VALUE", summary: "KEY= removes, KEY alone stands for KEY=true", repeats: true },
  ],
  async run(context): Promise<void> {
    const { args: [name = "", ...words], client, signal } = context;
    const labels = parseLabels(words);
    const { namespaces } = await client();
    await namespaces.update(name, { labels, signal }).catch(nearNamespace(name, context));
  },
});
