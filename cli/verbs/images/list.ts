import {
  type DescribedImage,
  describeImages,
  type Image,
  type NamespacedClient,
  selectImages,
} from "../../../mod.ts";
import { acrossNamespaces } from "../../across.ts";
import { defineVerb, type VerbContext } from "../../verb.ts";

interface Row {
  name: string;
  mediaType: string;
  digest: string;
  /** Bytes that this machine's platform needs; absent when it cannot be told. */
  size: number | undefined;
  /** Absent when only names are wanted. */
  platforms: string[] | undefined;
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
  run(context): AsyncIterable<Row> {
    const what = context.args.length === 0 ? "images" : "such images";
    return acrossNamespaces(context, { what, rowsOf: (client) => rowsOf(client, context) });
  },
});

async function* rowsOf(client: NamespacedClient, { args, quiet, signal }: VerbContext): AsyncIterable<Row> {
  const { images } = await selectImages(client, args, { signal });
  if (quiet) yield* images.map(toRow);
  else for await (const image of describeImages(client, images, { signal })) yield toRow(image);
}

function toRow(image: Image & Partial<DescribedImage>): Row {
  const { name, target: { mediaType, digest }, size, platforms, labels, createdAt, updatedAt } = image;
  return { name, mediaType, digest, size, platforms, labels, createdAt, updatedAt };
}
