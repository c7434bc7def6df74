import { quoted } from "../oci/quoted.ts";
import { abandonedFolders } from "../run/fifos.ts";
import type { Finding } from "./finding.ts";
import type { Scene } from "./scene.ts";

/** Finds folders of pipes that davit made for containers, of which no shim is left to read them. */
export async function* findLeftoverPipes({ youngMs }: Scene): AsyncIterable<Finding> {
  for (const folder of await abandonedFolders(youngMs)) {
    yield {
      check: "leftover-pipes",
      severity: "note",
      what: `folder ${quoted(folder)}`,
      why: "it has the pipes of a container whose shim is gone, or that was never made",
      commands: [["rm", "-r", folder]],
      mend: { kind: "pipes", folder },
    };
  }
}
