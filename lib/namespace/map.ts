import type { NamespaceAccess, NamespacedClient } from "../client.ts";
import { mapConcurrent } from "../concurrency.ts";
import type { Namespace } from "../namespaces.ts";
import type { CallOptions } from "../transport/transport.ts";

const namespacesAtOnce = 4;

/**
 * Does the same in every namespace, in a few at once; yields the results in the order of the namespaces' names.
 *
 * ```ts
 * import { connect, mapNamespaces, type NamespacedClient } from "davit";
 *
 * async function example() {
 *   await using client = await connect({ address: "/run/containerd/containerd.sock" });
 *   const work = async ({ name, images }: NamespacedClient) => ({
 *     name,
 *     images: (await Array.fromAsync(images.list())).length,
 *   });
 *   for await (const row of mapNamespaces(client, work)) console.log(row);
 * }
 * ```
 */
export async function* mapNamespaces<Result>(
  client: NamespaceAccess,
  work: (client: NamespacedClient, namespace: Namespace) => Promise<Result>,
  options: CallOptions = {},
): AsyncIterable<Result> {
  const inside = (namespace: Namespace) => work(client.namespace(namespace.name), namespace);
  const { signal } = options;
  yield* mapConcurrent(client.namespaces.list(options), inside, { limit: namespacesAtOnce, signal });
}
