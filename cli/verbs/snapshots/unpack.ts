import { containerdError } from "../../../mod.ts";
import { unpackingOptions } from "../../unpack_options.ts";
import { unpackEach, unpackedColumns, type UnpackedRow } from "../../unpacking.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Unpack the layers of the image that has a digest",
  examples: [`snapshots unpack sha256:${"0".repeat(64)}`],
  args: [{ name: "DIGEST", summary: "of the index or manifest that an image points to" }],
  options: unpackingOptions,
  columns: unpackedColumns,
  repeatable: true,
  async *run(context): AsyncIterable<UnpackedRow> {
    const { args: [digest = ""], namespaced, signal } = context;
    const client = await namespaced();
    const images = client.images.list({ signal });
    for await (const image of images) {
      if (image.target.digest === digest) return yield* unpackEach(client, [image], context);
    }
    throw containerdError({
      code: "not_found",
      reason: "no image points to it",
      outcome: "refused",
      action: "unpack",
      resource: `content ${digest}`,
      namespace: client.name,
    });
  },
});
