import type { NamespaceAccess } from "../client.ts";
import { abortStale } from "../gc/ingests.ts";
import { deleteJudged } from "../gc/leases.ts";
import { removeAbandoned } from "../run/fifos.ts";
import type { CallOptions } from "../transport/transport.ts";
import type { Finding } from "./finding.ts";

/**
 * Mends what is safe to mend; resolves to whether it did. What only waits to be collected goes with the collection
 * that the caller makes when all is mended: {@linkcode Leases.collectGarbage}.
 *
 * ```ts
 * import { type Finding, mendFinding, type NamespacedClient } from "davit";
 *
 * async function example(client: NamespacedClient, findings: readonly Finding[]) {
 *   for (const finding of findings) {
 *     if (!await mendFinding(client, finding)) console.log(finding.what, finding.commands);
 *   }
 *   await client.leases.collectGarbage();
 * }
 * ```
 */
export async function mendFinding(
  client: NamespaceAccess,
  { namespace, mend }: Finding,
  options: CallOptions = {},
): Promise<boolean> {
  if (mend?.kind === "pipes") return await removeAbandoned(mend.folder);
  if (mend === undefined || namespace === undefined) return false;
  const inside = client.namespace(namespace);
  switch (mend.kind) {
    case "lease":
      await deleteJudged(inside, mend, options);
      return true;
    case "ingest":
      return await abortStale(inside, mend, options);
    case "garbage":
      return true;
  }
}
