import { definePlugin, isTemporary, NotFoundError, type PluginContext, retry } from "davit";

export default definePlugin({
  name: "watch-exits",
  summary: "Show each task that ends, and mark or delete what is left of it",
  examples: [
    "watch-exits -n default --failed",
    "watch-exits -n ci --then label --count 10 --timeout 1h -o jsonl",
  ],
  options: {
    failed: { type: "boolean", summary: "only those with an exit code other than 0" },
    then: {
      type: "string",
      choices: ["nothing", "label", "delete"],
      default: "nothing",
      summary: "what to do with the container: note how it ended in its labels, or delete its task",
    },
    count: { type: "integer", min: 1, summary: "end after this many" },
  },
  columns: [
    { header: "TIME", key: "time" },
    { header: "CONTAINER", key: "container" },
    { header: "EXIT", key: "exitCode" },
    { header: "DONE", key: "done" },
  ],
  endless: true,
  access: { namespaces: "current", write: "all" },

  async *run({ client, options, log, failed, signal }) {
    let left = options.count ?? Infinity;
    log.info(`Waiting for tasks to end in namespace "${client.name}"`);
    for await (const { container, exitCode, exitedAt } of exits({ client, log, signal })) {
      if (options.failed && exitCode === 0) continue;
      const time = exitedAt.toISOString();
      let done = "nothing";
      try {
        if (options.then === "label") {
          const labels = { "davit/exited": time, "davit/exit-code": String(exitCode) };
          await client.containers.update(container, { labels, signal });
          done = "labelled";
        } else if (options.then === "delete") {
          await client.tasks.delete(container, { signal });
          done = "deleted";
        }
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof NotFoundError) done = "gone already";
        else failed(error);
      }
      yield { time, container, exitCode, done };
      if (--left <= 0) return;
    }
  },
});

interface Exit {
  container: string;
  pid: number;
  exitCode: number;
  exitedAt: Date;
}

/** The ends of tasks; when containerd is restarted, also of those that end meanwhile. */
async function* exits({ client, log, signal }: Pick<PluginContext, "client" | "log" | "signal">) {
  let [since, missed] = [new Date(), [] as Exit[]];
  for (;;) {
    yield* missed;
    try {
      const filters = ['topic=="/tasks/exit"'];
      for await (const { timestamp: exitedAt, details } of client.events.subscribe({ filters, signal })) {
        const { containerId, id, pid, exitStatus = 0 } = details;
        if (id !== containerId || missed.some((exit) => exit.pid === pid)) continue; // of an exec, or told
        yield { container: String(id), exitCode: Number(exitStatus), exitedAt };
        since = exitedAt;
      }
      return;
    } catch (error) {
      if (!isTemporary(error)) throw error;
      log.warn(`${(error as Error).message}; waiting for it to come back`);
    }
    const list = () => Array.fromAsync(client.tasks.list({ signal }));
    const tasks = await retry(list, { attempts: Infinity, longestWaitMs: 5_000, signal });
    missed = tasks.flatMap(({ id, pid, exitStatus = 0, exitedAt = new Date(0) }) =>
      exitedAt > since ? [{ container: id, pid, exitCode: exitStatus, exitedAt }] : []
    );
    log.info("Waiting again");
  }
}
