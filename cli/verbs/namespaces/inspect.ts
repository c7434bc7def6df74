import { type Namespace, type NamespaceUsage, namespaceUsage, snapshotCounts } from "../../../mod.ts";
import { nearNamespace } from "../../elsewhere.ts";
import { defineVerb } from "../../verb.ts";

interface Inspection extends Namespace {
  /** What it holds; each found by listing. */
  usage: NamespaceUsage & { snapshots: Record<string, number> };
  /** Whether it takes blobs of other namespaces without proof of possession. */
  contentSharingPolicy: "shared" | "isolated";
}

export default defineVerb({
  summary: "Show all about a namespace",
  examples: ["namespaces inspect k8s.io", "namespaces inspect k8s.io -o yaml"],
  args: [{ name: "NAME", summary: "namespace", completes: "namespace" }],
  async run(context): Promise<Inspection> {
    const { args: [name = ""], client, signal } = context;
    const connection = await client();
    const namespace = await connection.namespaces.get(name, { signal }).catch(nearNamespace(name, context));
    const inside = connection.namespace(name);
    const [usage, snapshots, contentSharingPolicy] = await Promise.all([
      namespaceUsage(inside, { signal }),
      snapshotCounts(inside, { signal }),
      connection.introspection.contentSharingPolicy({ signal }),
    ]);
    return { ...namespace, usage: { ...usage, snapshots }, contentSharingPolicy };
  },
});
