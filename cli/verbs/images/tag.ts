import { tagImage } from "../../../mod.ts";
import { each } from "../../each.ts";
import { requireImage } from "../../elsewhere.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Give an image more names",
  examples: [
    "images tag docker.io/library/busybox:latest example.com/base:1",
    "images tag app:new app:live --force",
  ],
  args: [
    { name: "REF", summary: "image; a short name like busybox also finds the full one", completes: "image" },
    { name: "NEW", summary: "name to add, taken as it is", repeats: true },
  ],
  options: {
    force: { type: "boolean", summary: "point names that exist to this image" },
    skipReferenceCheck: { type: "boolean", summary: "take names that no registry could have" },
  },
  async *run(context): AsyncIterable<string> {
    const { args: [name = "", ...names], options, namespaced, log, signal } = context;
    const client = await namespaced();
    const source = await requireImage(client, { name, action: "tag", context });
    if (source.name !== name) log.info(`Tagging ${JSON.stringify(source.name)}`);
    yield* each(names, {
      context,
      async work(name) {
        await tagImage(client, { source, name, ...options, signal });
        return name;
      },
    });
  },
});
