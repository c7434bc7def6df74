import { type Image, selectImages } from "../../../mod.ts";
import { each } from "../../each.ts";
import { missingImage } from "../../elsewhere.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Remove images; content that nothing else needs is collected afterwards",
  examples: ["images remove example.com/app:1", "images remove 'example.com/app:*' --sync"],
  args: [{
    name: "REF",
    summary: "name, glob (* stops at /, ** does not) or filter",
    repeats: true,
    completes: "image",
  }],
  options: {
    sync: { type: "boolean", summary: "wait until the content is collected" },
    ignoreMissing: { type: "boolean", summary: "an image that does not exist is as good as removed" },
  },
  async *run(context): AsyncIterable<string> {
    const { args, options: { sync, ignoreMissing }, namespaced, failed, signal } = context;
    const client = await namespaced();
    const { images, unmatched } = await selectImages(client, args, { signal });
    for (const pattern of ignoreMissing ? [] : unmatched) {
      failed(await missingImage(pattern, { action: "remove", context }));
    }
    const removed = yield* each(images, {
      context,
      ignoreMissing,
      async work({ name, target }: Image) {
        // Where containerd compares (2.x), an image that points elsewhere by now stays.
        await client.images.delete(name, { target, signal });
        return name;
      },
    });
    if (sync && removed > 0) await client.leases.collectGarbage({ signal });
  },
});
