import { mapNamespaces, type NamespacedClient } from "../mod.ts";
import type { VerbContext } from "./verb.ts";

/** The rows of the namespace of `-n`, or with `-A` those of all, each with its `namespace`. */
export async function* acrossNamespaces<Row extends object>(
  { allNamespaces, client, namespaced, signal }: Pick<
    VerbContext,
    "allNamespaces" | "client" | "namespaced" | "signal"
  >,
  rowsOf: (client: NamespacedClient) => AsyncIterable<Row>,
): AsyncIterable<Row & { namespace?: string }> {
  if (!allNamespaces) return yield* rowsOf(await namespaced());
  const work = async (client: NamespacedClient) =>
    (await Array.fromAsync(rowsOf(client))).map((row) => ({ namespace: client.name, ...row }));
  for await (const rows of mapNamespaces(await client(), work, { signal })) yield* rows;
}
