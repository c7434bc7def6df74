import { type Container, type NamespacedClient, removeContainer, type Task } from "../../../mod.ts";
import { acrossNamespaces } from "../../across.ts";
import { each } from "../../each.ts";
import { defineVerb } from "../../verb.ts";

interface Row {
  id: string;
  image: string;
  status: "removed" | "would be removed";
}

interface Idle {
  container: Container;
  client: NamespacedClient;
}

export default defineVerb({
  summary: "Remove the containers in which nothing runs",
  examples: ["containers prune --dry-run", "containers prune --older-than 7d --yes"],
  options: {
    olderThan: { type: "duration", default: 3_600_000, summary: "only those made longer ago" },
  },
  columns: [
    { header: "CONTAINER", key: "id" },
    { header: "IMAGE", key: "image" },
    { header: "STATUS", key: "status" },
  ],
  plans: true,
  repeatable: true,
  acrossNamespaces: true,
  async *run(context): AsyncIterable<Row & { namespace?: string }> {
    const { options: { olderThan }, dryRun, allNamespaces, confirm, signal } = context;
    const before = Date.now() - olderThan;
    const idle = await Array.fromAsync(
      acrossNamespaces(context, { rowsOf: (client) => idleContainers(client, { before, signal }) }),
    );
    if (!dryRun && idle.length > 0) await confirm(`Remove ${idle.length} containers?`);
    yield* each(idle, {
      context,
      ignoreMissing: true,
      async work({ container: { id, image }, client }) {
        // Not by force: one that was started meanwhile stays.
        if (!dryRun) await removeContainer(client, id, { signal });
        const status = dryRun ? "would be removed" as const : "removed" as const;
        return { ...(allNamespaces && { namespace: client.name }), id, image, status };
      },
    });
  },
});

async function* idleContainers(
  client: NamespacedClient,
  { before, signal }: { before: number; signal: AbortSignal },
): AsyncIterable<Idle> {
  const tasks = new Map<string, Task>();
  const containers = await Array.fromAsync(client.containers.list({ signal }));
  for await (const task of client.tasks.list({ signal })) tasks.set(task.id, task);
  for (const container of containers) {
    const status = tasks.get(container.id)?.status ?? "stopped";
    if (status === "stopped" && container.createdAt.getTime() < before) yield { container, client };
  }
}
