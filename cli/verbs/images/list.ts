import { describeImages, type NamespacedClient, selectImages } from "../../../mod.ts";
import { acrossNamespaces } from "../../across.ts";
import { elsewhere } from "../../elsewhere.ts";
import { defineVerb, type VerbContext } from "../../verb.ts";

interface Row {
  name: string;
  mediaType: string;
  digest: string;
  /** Bytes that this machine's platform needs; absent when it cannot be told. */
  size?: number;
  platforms?: string[];
  labels: Record<string, string>;
  createdAt: Date;
  updatedAt: Date;
}

export default defineVerb({
  summary: "List images",
  examples: ["images list -A", "images list 'docker.io/library/*'", `images list 'labels."owner"==ops'`],
  args: [{
    name: "REF",
    summary: "name, glob (* stops at /, ** does not) or filter; default: all",
    optional: true,
    repeats: true,
    completes: "image",
  }],
  columns: [
    { header: "REF", key: "name" },
    { header: "TYPE", key: "mediaType" },
    { header: "DIGEST", key: "digest" },
    { header: "SIZE", key: "size", as: "bytes" },
    { header: "PLATFORMS", key: "platforms", as: "list" },
    { header: "LABELS", key: "labels", as: "labels" },
    { header: "CREATED", key: "createdAt", as: "age", wide: true },
    { header: "UPDATED", key: "updatedAt", as: "age", wide: true },
  ],
  acrossNamespaces: true,
  async *run(context): AsyncIterable<Row> {
    let isEmpty = true;
    for await (const row of acrossNamespaces(context, (client) => rowsOf(client, context))) {
      isEmpty = false;
      yield row;
    }
    if (!isEmpty || context.allNamespaces) return;
    const places = await elsewhere(context, (client) => rowsOf(client, { ...context, quiet: true }));
    if (places) {
      context.log.info(`No such images in namespace ${JSON.stringify(context.namespace)}, but in ${places}`);
    }
  },
});

async function* rowsOf(client: NamespacedClient, { args, quiet, signal }: VerbContext): AsyncIterable<Row> {
  const { images } = await selectImages(client, args, { signal });
  const rows = quiet ? images : describeImages(client, images, { signal });
  for await (const { target: { mediaType, digest }, ...image } of rows) yield { ...image, mediaType, digest };
}
