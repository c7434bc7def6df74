import { type DaemonVersion, loadedSnapshotters, type Server } from "../../../mod.ts";
import { defineVerb } from "../../verb.ts";

interface Info extends DaemonVersion {
  /** Whether namespaces take over each other's blobs without proof of possession. */
  contentSharingPolicy: "shared" | "isolated";
  /** Those that work. */
  snapshotters: string[];
  /** What `ctr info` shows. */
  server: Server;
}

export default defineVerb({
  summary: "Show what containerd says about itself",
  examples: ["daemon info", "daemon info -o yaml"],
  async run({ client, signal }): Promise<Info> {
    const { introspection } = await client();
    const [version, contentSharingPolicy, snapshotters, server] = await Promise.all([
      introspection.version({ signal }),
      introspection.contentSharingPolicy({ signal }),
      loadedSnapshotters(introspection, { signal }),
      introspection.server({ signal }),
    ]);
    return { ...version, contentSharingPolicy, snapshotters, server };
  },
});
