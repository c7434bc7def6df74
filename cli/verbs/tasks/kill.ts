import { type NamespacedClient, parseSignal } from "../../../mod.ts";
import { each } from "../../each.ts";
import { UsageError } from "../../errors.ts";
import { checkExecId } from "../../exec_id.ts";
import { defineVerb } from "../../verb.ts";

/** Where ctr and davit note the stop signal of an image. */
const stopSignalLabel = "io.containerd.image.config.stop-signal";

export default defineVerb({
  summary: "Send a signal to tasks",
  examples: ["tasks kill web", "tasks kill -s HUP web", "tasks kill --all -s KILL web"],
  args: [{ name: "ID", summary: "of its container", repeats: true, completes: "task" }],
  options: {
    signal: {
      type: "string",
      short: "s",
      placeholder: "SIGNAL",
      summary: "by name or number [that of the image, TERM]",
    },
    all: { type: "boolean", summary: "to all processes of the container" },
    execId: { type: "string", placeholder: "ID", summary: "to a process that exec started" },
  },
  async *run(context): AsyncIterable<string> {
    const { args, options: { signal: text, all, execId }, namespaced, signal: abort } = context;
    checkExecId(execId);
    if (all && execId !== undefined) throw new UsageError("Cannot use both --all and --exec-id");
    const given = text === undefined ? undefined : parseSignal(text);
    const client = await namespaced();
    yield* each(args, {
      context,
      async work(containerId) {
        const signal = given ?? await stopSignalOf(client, { containerId, signal: abort });
        await client.tasks.kill({ containerId, execId, signal, all }, { signal: abort });
        return containerId;
      },
    });
  },
});

async function stopSignalOf(
  { containers }: NamespacedClient,
  { containerId, signal }: { containerId: string; signal: AbortSignal },
): Promise<number> {
  const { labels } = await containers.get(containerId, { signal });
  return parseSignal(labels[stopSignalLabel] || "TERM");
}
