import { AlreadyExistsError } from "../../../mod.ts";
import { parseLabels } from "../../labels.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Create a namespace",
  examples: ["namespaces create build owner=ci", "namespaces create build --if-not-exists"],
  args: [
    { name: "NAME", summary: "letters and digits, in between also . _ -, at most 76" },
    { name: "KEY=VALUE", summary: "labels; KEY alone stands for KEY=true", optional: true, repeats: true },
  ],
  options: {
    ifNotExists: { type: "boolean", summary: "it may exist already; the labels given are set then too" },
  },
  async run({ args: [name = "", ...words], options, client, signal }): Promise<void> {
    const labels = parseLabels(words);
    const { namespaces } = await client();
    try {
      await namespaces.create(name, { labels, signal });
    } catch (error) {
      if (!(options.ifNotExists && error instanceof AlreadyExistsError)) throw error;
      if (words.length > 0) await namespaces.update(name, { labels, signal });
    }
  },
});
