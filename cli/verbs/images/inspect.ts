import { type InspectedImage, inspectImage } from "../../../mod.ts";
import { requireImage } from "../../elsewhere.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Show all that an image consists of, and what of it is there",
  examples: ["images inspect busybox", "images inspect example.com/app:1 -o yaml"],
  args: [{
    name: "NAME",
    summary: "image; a short name like busybox also finds the full one",
    completes: "image",
  }],
  async run(context): Promise<InspectedImage> {
    const { args: [name = ""], namespaced, signal } = context;
    const client = await namespaced();
    const image = await requireImage(client, { name, action: "inspect", context });
    return await inspectImage(client, image, { signal });
  },
});
