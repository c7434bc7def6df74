import type { Content } from "../content.ts";
import { digestOf } from "../oci/descriptor.ts";
import type { CallOptions } from "../transport/transport.ts";
import type { ArchiveBlob } from "./ingest.ts";

/** Writes a document from its bytes. */
export async function writeDocument(
  content: Content,
  bytes: Uint8Array,
  options: CallOptions = {},
): Promise<ArchiveBlob> {
  const blob = { digest: await digestOf(bytes), size: bytes.length };
  return { ...blob, ...await content.write(blob, (offset) => once(bytes.subarray(offset)), options) };
}

async function* once<Item>(item: Item): AsyncIterable<Item> {
  yield item;
}
