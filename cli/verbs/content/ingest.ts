import { parseDigest } from "../../../mod.ts";
import { rootLabels } from "../../gc_root.ts";
import { openInput } from "../../input.ts";
import { parseLabels } from "../../labels.ts";
import { defineVerb } from "../../verb.ts";

interface Row {
  digest: string;
  /** Bytes. */
  size: number;
  status: "written" | "exists";
}

const operation = { "davit/operation": "content ingest" };

export default defineVerb({
  summary: "Write a blob; unless a lease holds it, it stays until it is removed",
  examples: ["content ingest layer-1 layer.tar.gz", "content ingest layer-1 --lease upload < layer.tar.gz"],
  args: [
    { name: "REF", summary: "names the write, as content active lists it" },
    {
      name: "FILE",
      summary: "where the bytes are; default: -, which is stdin",
      optional: true,
      completes: "file",
    },
  ],
  options: {
    expectedDigest: { type: "string", placeholder: "DIGEST", summary: "refuse bytes of another digest" },
    expectedSize: {
      type: "integer",
      min: 0,
      placeholder: "BYTES",
      summary: "refuse another number of bytes",
    },
    label: { type: "list", placeholder: "KEY=VALUE", summary: "label of the blob" },
    lease: {
      type: "string",
      placeholder: "ID",
      completes: "lease",
      summary: "lease that holds the blob, instead of a label",
    },
  },
  columns: [
    { header: "DIGEST", key: "digest" },
    { header: "SIZE", key: "size", as: "bytes" },
    { header: "STATUS", key: "status" },
  ],
  async run(context): Promise<Row> {
    const { args: [ref = "", path = "-"], options, namespaced, stdin, signal } = context;
    const { expectedDigest: expected, lease: held } = options;
    const labels = {
      ...(held === undefined && rootLabels()),
      ...parseLabels(options.label),
    };
    if (expected !== undefined) parseDigest(expected); // before anything comes into being
    const client = await namespaced();
    const { stream, size } = await openInput(path, { what: "file", stdin });
    try {
      await using own = held === undefined
        ? await client.leases.acquire({ prefix: "davit-ingest", labels: operation }, { signal })
        : undefined;
      const { content } = client.withLease(held ?? own!.id);
      const target = { ref, size: options.expectedSize ?? size, expected, labels };
      const { digest, existed, sentBytes } = await content.ingest(target, stream, { signal });
      if (existed) await content.update(digest, { labels, signal });
      return { digest, size: sentBytes, status: existed ? "exists" : "written" };
    } finally {
      await stream.cancel().catch(() => {}); // it is still open only where nothing was read of it
    }
  },
});
