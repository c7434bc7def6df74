import { type Image, type VerifiedBlob, verifyContent } from "../../../mod.ts";
import { elsewhere, requireImage } from "../../elsewhere.ts";
import { UsageError } from "../../errors.ts";
import { defineVerb } from "../../verb.ts";

type Row = Omit<VerifiedBlob, "namespace"> & { namespace?: string };

export default defineVerb({
  summary: "Check that the bytes of blobs are those that their digests name",
  examples: [
    "content verify -A",
    "content verify --image docker.io/library/busybox:latest",
    "content verify -q",
  ],
  args: [{
    name: "DIGEST",
    summary: "of a blob; default: all; with -q only those that are not right are named",
    optional: true,
    repeats: true,
    completes: "content",
  }],
  options: {
    image: { type: "list", placeholder: "NAME", completes: "image", summary: "what there is of an image" },
  },
  columns: [
    { header: "DIGEST", key: "digest" },
    { header: "SIZE", key: "size", as: "bytes" },
    { header: "STATUS", key: "status" },
    { header: "REASON", key: "reason" },
  ],
  acrossNamespaces: true,
  async *run(context): AsyncIterable<Row> {
    const { args, options, allNamespaces, client, namespace: name, quiet, log, progress, found, signal } =
      context;
    if (allNamespaces && options.image.length > 0) {
      throw new UsageError("Cannot use --image with --all-namespaces: an image belongs to one namespace");
    }
    const connection = await client();
    const here = connection.namespace(name);
    const images: Image[] = [];
    for (const image of options.image) {
      images.push(await requireImage(here, { name: image, action: "verify", context }));
    }
    const clients = allNamespaces
      ? await Array.fromAsync(
        connection.namespaces.list({ signal }),
        ({ name }) => connection.namespace(name),
      )
      : [here];
    const isAll = args.length === 0 && images.length === 0;
    const which = isAll ? {} : { digests: args, images };
    let isEmpty = true;
    for await (
      const { namespace, ...blob } of verifyContent(clients, { ...which, onProgress: progress, signal })
    ) {
      isEmpty = false;
      if (blob.status !== "ok") found();
      if (blob.status !== "ok" || !quiet) yield allNamespaces ? { namespace, ...blob } : blob;
    }
    const places = isEmpty && isAll && !allNamespaces
      ? await elsewhere(context, ({ content }) => content.list({ signal }))
      : undefined;
    if (places) log.info(`No content in namespace ${JSON.stringify(name)}, but in ${places}`);
  },
});
