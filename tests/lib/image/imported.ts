import { assertEquals } from "@std/assert";
import { connect, type Image, importImages, type ImportOptions, type ImportResult } from "davit";
import type { Containerd } from "../../real/containerd.ts";
import type { Bytes } from "../../real/layers.ts";
import { streamOf } from "./archives.ts";

/** What is in a namespace. */
export interface State {
  images: Pick<Image, "name" | "target" | "labels">[];
  /** The labels of each blob, by digest. */
  blobs: Record<string, Record<string, string>>;
}

/** Imports an archive through a connection of its own. */
export async function imported(
  { address }: Containerd,
  namespace: string,
  archive: Bytes | ReadableStream<Bytes>,
  options?: ImportOptions,
): Promise<ImportResult[]> {
  await using client = await connect({ address });
  const source = archive instanceof Uint8Array ? streamOf(archive) : archive;
  return await importImages(client.namespace(namespace), source, options);
}

/** What is in a namespace once what nothing refers to is collected. */
export async function stateOf({ address }: Containerd, namespace: string): Promise<State> {
  await using client = await connect({ address });
  const { images, content, leases } = client.namespace(namespace);
  await leases.collectGarbage();
  const blobs = await Array.fromAsync(content.list(), ({ digest, labels }) => [digest, labels] as const);
  return {
    images: await Array.fromAsync(images.list(), ({ name, target, labels }) => ({ name, target, labels })),
    blobs: Object.fromEntries(blobs),
  };
}

/** No lease and no write that was begun. */
export async function assertNothingOpen({ address }: Containerd, namespace: string): Promise<void> {
  await using client = await connect({ address });
  const { content, leases } = client.namespace(namespace);
  assertEquals(await Array.fromAsync(leases.list(), ({ id }) => id), []);
  assertEquals(await Array.fromAsync(content.listStatuses(), ({ ref }) => ref), []);
}

/** Nothing at all, not even what a collection would take. */
export async function assertNothingLeft(containerd: Containerd, namespace: string): Promise<void> {
  assertEquals(await stateOf(containerd, namespace), { images: [], blobs: {} });
  await assertNothingOpen(containerd, namespace);
}
