import type { Container, NamespacedClient, Task } from "../../../mod.ts";
import { acrossNamespaces } from "../../across.ts";
import { defineVerb, type VerbContext } from "../../verb.ts";

interface Row extends Pick<Task, "id" | "pid" | "status"> {
  /** Of its container; absent when that is gone, and when it is not shown. */
  image: string | undefined;
  /** Absent while it has not stopped. */
  exitStatus: number | undefined;
  exitedAt: Date | undefined;
  /** Of its container, as the image. */
  createdAt: Date | undefined;
}

export default defineVerb({
  summary: "List tasks: the processes of containers",
  examples: ["tasks list", "tasks list -A -o wide"],
  columns: [
    { header: "TASK", key: "id" },
    { header: "PID", key: "pid" },
    { header: "STATUS", key: "status" },
    { header: "IMAGE", key: "image", wide: true },
    { header: "EXIT", key: "exitStatus", wide: true },
    { header: "EXITED", key: "exitedAt", as: "age", wide: true },
    { header: "CREATED", key: "createdAt", as: "age", wide: true },
  ],
  acrossNamespaces: true,
  run(context): AsyncIterable<Row> {
    return acrossNamespaces(context, { what: "tasks", rowsOf: (client) => rowsOf(client, context) });
  },
});

async function* rowsOf(
  { containers, tasks }: NamespacedClient,
  { wide, signal }: VerbContext,
): AsyncIterable<Row> {
  const owners = new Map<string, Container>();
  if (wide) {
    for await (const container of containers.list({ signal })) {
      owners.set(container.id, container);
    }
  }
  for await (const { id, pid, status, exitStatus, exitedAt } of tasks.list({ signal })) {
    const { image, createdAt } = owners.get(id) ?? {};
    yield { id, pid, status, image, exitStatus, exitedAt, createdAt };
  }
}
