import {
  type Container,
  foreseeFreed,
  loadGraphs,
  type NamespacedClient,
  removeContainer,
} from "../../../mod.ts";
import { acrossNamespaces } from "../../across.ts";
import { each } from "../../each.ts";
import { describeFreed } from "../../freed.ts";
import { defineVerb } from "../../verb.ts";

interface Row {
  id: string;
  image: string;
  status: "removed" | "would be removed";
  reason: string;
}

interface Idle {
  container: Container;
  client: NamespacedClient;
  reason: string;
}

export default defineVerb({
  summary: "Remove the containers in which nothing runs",
  examples: ["containers prune --dry-run", "containers prune -A --older-than 7d --yes"],
  options: {
    olderThan: { type: "duration", default: 3_600_000, summary: "only those made longer ago" },
  },
  columns: [
    { header: "CONTAINER", key: "id" },
    { header: "IMAGE", key: "image" },
    { header: "STATUS", key: "status" },
    { header: "REASON", key: "reason" },
  ],
  plans: true,
  repeatable: true,
  asks: () => true,
  acrossNamespaces: true,
  async *run(context): AsyncIterable<Row & { namespace?: string }> {
    const { options: { olderThan }, dryRun, allNamespaces, confirm, log, signal } = context;
    const before = Date.now() - olderThan;
    const idle = await Array.fromAsync(
      acrossNamespaces(context, { rowsOf: (client) => idleContainers(client, { before, signal }) }),
    );
    if (idle.length === 0) return;
    const connection = await context.client();
    const gone = new Set(idle.map(({ client, container }) => `${client.name} ${container.id}`));
    const freed = await foreseeFreed(connection, await loadGraphs(connection, { signal }), {
      isGone: ({ kind, name }, namespace) => kind === "container" && gone.has(`${namespace} ${name}`),
      signal,
    });
    log.info(
      `Removing ${idle.length} containers ${dryRun ? "would free" : "frees"} ${describeFreed(freed)}`,
    );
    if (!dryRun) await confirm(`Remove ${idle.length} containers?`);
    const removed = yield* each(idle, {
      context,
      ignoreMissing: true,
      async work({ container: { id, image }, client, reason }) {
        // Not by force: one that was started meanwhile stays.
        if (!dryRun) await removeContainer(client, id, { signal });
        const status = dryRun ? "would be removed" as const : "removed" as const;
        return { ...(allNamespaces && { namespace: client.name }), id, image, status, reason };
      },
    });
    if (!dryRun && removed > 0) await idle[0]!.client.leases.collectGarbage({ signal });
  },
});

/** Those of Kubernetes are its own to remove: it keeps a record of them. */
async function* idleContainers(
  client: NamespacedClient,
  { before, signal }: { before: number; signal: AbortSignal },
): AsyncIterable<Idle> {
  const containers = await Array.fromAsync(client.containers.list({ signal }));
  const tasks = new Map(await Array.fromAsync(client.tasks.list({ signal }), (task) => [task.id, task]));
  for (const container of containers) {
    if (container.labels["io.cri-containerd.kind"] !== undefined) continue;
    const status = tasks.get(container.id)?.status;
    const isIdle = status === undefined || status === "stopped" || status === "created";
    const reason = status === undefined ? "it has no task" : `its task is ${status}`;
    if (isIdle && container.createdAt.getTime() < before) yield { container, client, reason };
  }
}
