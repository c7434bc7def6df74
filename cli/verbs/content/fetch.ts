import { pullOptions } from "../../pull_options.ts";
import { type FetchedRow, pulledColumns, pullNamed, widePulledColumns } from "../../pulling.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Fetch the content of images from registries, and the images, without unpacking them",
  examples: [
    "content fetch busybox",
    "content fetch registry.example.com/app:1 --all-platforms",
    "content fetch registry.example.com/app:1 --metadata-only",
  ],
  args: [{ name: "REF", summary: "reference, short ones as docker has them", repeats: true }],
  options: {
    metadataOnly: {
      type: "boolean",
      summary:
        "no layers, only indexes, manifests and configs; of all platforms unless --platform names some",
    },
    ...pullOptions,
  },
  columns: [...pulledColumns, ...widePulledColumns],
  repeatable: true,
  async *run(context): AsyncIterable<FetchedRow> {
    const { metadataOnly } = context.options;
    for await (const { chainIds: _, ...row } of pullNamed(context, { unpack: false, metadataOnly })) {
      yield row;
    }
  },
});
