import { type BuildStep, imageHistory } from "../../../mod.ts";
import { requireImage } from "../../elsewhere.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Show the steps in which an image was built, the last one first",
  examples: ["images history busybox", "images history example.com/app:1 --platform linux/arm64"],
  args: [{
    name: "NAME",
    summary: "image; a short name like busybox also finds the full one",
    completes: "image",
  }],
  options: {
    platform: {
      type: "string",
      placeholder: "OS/ARCH",
      summary: "which one of its platforms [this machine's]",
    },
  },
  columns: [
    { header: "CREATED", key: "created", as: "age" },
    { header: "CREATED BY", key: "createdBy" },
    { header: "SIZE", key: "size", as: "bytes" },
    { header: "COMMENT", key: "comment" },
    { header: "DIGEST", key: "digest", wide: true },
  ],
  async run(context): Promise<BuildStep[]> {
    const { args: [name = ""], options: { platform }, namespaced, signal } = context;
    const client = await namespaced();
    const image = await requireImage(client, { name, action: "read the history of", context });
    return await imageHistory(client, image, { platform, signal });
  },
});
