import { type Image, pinLabels, selectImages } from "../mod.ts";
import { each } from "./each.ts";
import { missingImage } from "./elsewhere.ts";
import type { VerbContext } from "./verb.ts";

/** Pins the images that a verb's arguments select, or takes the pin away; yields their names. */
export async function* setPinned(context: VerbContext, pinned: boolean): AsyncIterable<string> {
  const { args, namespaced, failed, signal } = context;
  const client = await namespaced();
  const { images, unmatched } = await selectImages(client, args, { signal });
  for (const pattern of unmatched) {
    failed(await missingImage(pattern, { action: pinned ? "pin" : "unpin", context }));
  }
  const labels = pinLabels(pinned);
  yield* each(images, {
    context,
    async work({ name }: Image) {
      await client.images.update({ name, labels }, { signal });
      return name;
    },
  });
}
