import { mapNamespaces, type NamespacedClient } from "../mod.ts";
import { elsewhere, nearAbsent } from "./elsewhere.ts";
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
  if (!isEmpty || !what) return;
  const places = await elsewhere(context, rowsOf);
  const near = places === undefined ? await nearAbsent(namespace, context) : undefined;
  if (places) log.info(`No ${what} in namespace ${JSON.stringify(namespace)}, but in ${places}`);
  if (near) {
    log.info(`There is no namespace ${JSON.stringify(namespace)}; did you mean ${JSON.stringify(near)}?`);
  }
}
