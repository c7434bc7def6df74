import { isOwn } from "../lease_owner.ts";
import { isExpired } from "../leases.ts";
import { quoted } from "../oci/quoted.ts";
import { davitIn, type Finding } from "./finding.ts";
import type { Scene } from "./scene.ts";

/** Finds leases that nobody needs: of davit's runs that died, and those past their time. */
export function* findIdleLeases({ namespaces }: Scene): Iterable<Finding> {
  for (const { name: namespace, leases } of namespaces) {
    for (const lease of leases) {
      if (lease.action === "keep") continue;
      const expired = isExpired(lease);
      yield {
        check: expired ? "expired-lease" : "dead-lease",
        severity: expired ? "note" : "warning",
        namespace,
        what: `lease ${quoted(lease.id)}`,
        why: `${lease.reason}; until it is removed, what it holds stays`,
        commands: [
          isOwn(lease) && !expired
            ? davitIn(namespace, "leases", "recover")
            : davitIn(namespace, "leases", "prune", "--yes"),
        ],
        mend: { kind: "lease", id: lease.id },
      };
    }
  }
}
