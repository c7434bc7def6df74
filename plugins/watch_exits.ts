import { definePlugin, NotFoundError } from "davit";

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
    for await (
      const { timestamp, details } of client.events.subscribe({ filters: ['topic=="/tasks/exit"'], signal })
    ) {
      const { containerId, id, exitStatus } = details as Record<string, unknown>;
      if (id !== containerId) continue; // of an exec
      const [container, exitCode] = [String(containerId), Number(exitStatus ?? 0)];
      if (options.failed && exitCode === 0) continue;
      let done = "nothing";
      try {
        if (options.then === "label") {
          const labels = { "davit/exited": timestamp.toISOString(), "davit/exit-code": String(exitCode) };
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
      yield { time: timestamp.toISOString(), container, exitCode, done };
      if (--left <= 0) return;
    }
  },
});
