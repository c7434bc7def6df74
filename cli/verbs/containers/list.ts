import type { Container, NamespacedClient, Task, TaskStatus } from "../../../mod.ts";
import { acrossNamespaces } from "../../across.ts";
import { defineVerb, type VerbContext } from "../../verb.ts";

type Listed =
  | "id"
  | "image"
  | "runtime"
  | "snapshotter"
  | "snapshotKey"
  | "labels"
  | "createdAt"
  | "updatedAt";

interface Row extends Pick<Container, Listed> {
  /** Of its task; absent without one, and when it is not shown. */
  status?: TaskStatus | undefined;
  pid?: number | undefined;
}

export default defineVerb({
  summary: "List containers",
  examples: ["containers list -A", "containers list -o wide", `containers list 'labels."app"==web'`],
  args: [{ name: "FILTER", summary: "in containerd's syntax; default: all", optional: true, repeats: true }],
  columns: [
    { header: "CONTAINER", key: "id" },
    { header: "IMAGE", key: "image" },
    { header: "RUNTIME", key: "runtime" },
    { header: "STATUS", key: "status", wide: true },
    { header: "PID", key: "pid", wide: true },
    { header: "CREATED", key: "createdAt", as: "age", wide: true },
    { header: "LABELS", key: "labels", as: "labels", wide: true },
  ],
  acrossNamespaces: true,
  run(context): AsyncIterable<Row> {
    const what = context.args.length === 0 ? "containers" : "such containers";
    return acrossNamespaces(context, { what, rowsOf: (client) => rowsOf(client, context) });
  },
});

async function* rowsOf(
  { containers, tasks }: NamespacedClient,
  { args, wide, signal }: VerbContext,
): AsyncIterable<Row> {
  const found = containers.list({ filters: [...args], signal });
  const running = new Map<string, Task>();
  if (wide) { for await (const task of tasks.list({ signal })) running.set(task.id, task); }
  for await (const container of found) yield toRow(container, running.get(container.id));
}

function toRow(container: Container, task: Task | undefined): Row {
  const { id, image, runtime, snapshotter, snapshotKey, labels, createdAt, updatedAt } = container;
  const { status, pid } = task ?? {};
  return { id, image, runtime, status, pid, snapshotter, snapshotKey, labels, createdAt, updatedAt };
}
