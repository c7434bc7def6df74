import type { NamespacedClient } from "../client.ts";
import { knownSandboxes } from "../sandboxes.ts";
import type { CallOptions } from "../transport/transport.ts";

/** What a namespace holds. */
export interface NamespaceUsage {
  /** How many names of images. */
  images: number;
  /** How many containers, running or not. */
  containers: number;
  /** How many containers have a task. */
  tasks: number;
  /** How many blobs. */
  blobs: number;
  /** How many leases, expired ones among them. */
  leases: number;
  /** How many sandboxes; 0 with containerd 1.6. */
  sandboxes: number;
  /** Of all its blobs. Namespaces share the bytes of blobs that they both have. */
  bytes: number;
}

/**
 * Counts what a namespace holds, by listing it.
 *
 * ```ts
 * import { type NamespacedClient, namespaceUsage } from "davit";
 *
 * async function example(client: NamespacedClient) {
 *   const { images, blobs, bytes } = await namespaceUsage(client);
 *   console.log(client.name, images, blobs, bytes);
 * }
 * ```
 */
export async function namespaceUsage(
  client: NamespacedClient,
  options: CallOptions = {},
): Promise<NamespaceUsage> {
  const [images, containers, tasks, leases, sandboxes, content] = await Promise.all([
    count(client.images.list(options)),
    count(client.containers.list(options)),
    count(client.tasks.list(options)),
    count(client.leases.list(options)),
    count(knownSandboxes(client, options)),
    contentUsage(client, options),
  ]);
  return { images, containers, tasks, blobs: content.blobs, leases, sandboxes, bytes: content.bytes };
}

async function contentUsage(
  client: NamespacedClient,
  options: CallOptions,
): Promise<Pick<NamespaceUsage, "blobs" | "bytes">> {
  const usage = { blobs: 0, bytes: 0 };
  for await (const { size } of client.content.list(options)) {
    usage.blobs++;
    usage.bytes += size;
  }
  return usage;
}

/** How many there are. */
export async function count(items: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const _ of items) count++;
  return count;
}
