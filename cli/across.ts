import { mapNamespaces, type NamespacedClient } from "../mod.ts";
import { elsewhere } from "./elsewhere.ts";
import type { VerbContext } from "./verb.ts";

/** What to list. */
export interface Listing<Row> {
  /** For the hint where it is when it is not here: `images`. Without, no hint. */
  what?: string | undefined;
  rowsOf(client: NamespacedClient): AsyncIterable<Row>;
}

/** The rows of the namespace of `-n`, or with `-A` those of all, each with its `namespace`. */
export async function* acrossNamespaces<Row extends object>(
  context: VerbContext,
  { what, rowsOf }: Listing<Row>,
): AsyncIterable<Row & { namespace?: string }> {
  const { allNamespaces, client, namespace, log, signal } = context;
  const connection = await client();
  if (allNamespaces) {
    const work = async (inside: NamespacedClient) =>
      (await Array.fromAsync(rowsOf(inside))).map((row) => ({ namespace: inside.name, ...row }));
    for await (const rows of mapNamespaces(connection, work, { signal })) yield* rows;
    return;
  }
  let isEmpty = true;
  for await (const row of rowsOf(connection.namespace(namespace))) {
    isEmpty = false;
    yield row;
  }
  const places = isEmpty && what ? await elsewhere(context, rowsOf) : undefined;
  if (places) log.info(`No ${what} in namespace ${JSON.stringify(namespace)}, but in ${places}`);
}
