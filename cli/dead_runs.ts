import { deleteJudged, judgeLeases, mapNamespaces, type NamespacedClient } from "../mod.ts";
import { isAlive, thisOwner } from "./owner.ts";
import type { VerbContext } from "./verb.ts";

/** Removes what earlier runs of an operation held when they died: it would be in the way of the next one. */
export async function forgetDeadRuns(
  { allNamespaces, namespace, dryRun, client, signal }: Pick<
    VerbContext,
    "allNamespaces" | "namespace" | "dryRun" | "client" | "signal"
  >,
  operation: string,
): Promise<void> {
  if (dryRun) return;
  const here = await thisOwner();
  const forget = async (inside: NamespacedClient) => {
    if (!allNamespaces && inside.name !== namespace) return;
    for (const lease of await judgeLeases(inside, { isAlive: (owner) => isAlive(owner, here), signal })) {
      if (lease.action === "keep" || lease.labels["davit/operation"] !== operation) continue;
      await deleteJudged(inside, lease, { signal });
    }
  };
  for await (const _ of mapNamespaces(await client(), forget, { signal })) {
    /* only to wait for them */
  }
}
