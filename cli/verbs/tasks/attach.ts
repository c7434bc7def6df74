import { attachTask } from "../../../mod.ts";
import { accompany, requireTerminal, streamsOf } from "../../foreground_process.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Take over input and output of a task until it ends, and remove it then",
  examples: ["tasks attach web"],
  args: [{ name: "ID", summary: "of its container", completes: "task" }],
  runsProcess: true,
  async run(context): Promise<void> {
    const { args: [id = ""], namespaced, foreground, signal } = context;
    const client = await namespaced();
    const { io } = await client.tasks.get(id, { signal });
    using stack = new DisposableStack();
    const terminal = io.terminal
      ? stack.use(requireTerminal(context, "the task has one, and is attached to from one"))
      : undefined;
    using process = await attachTask(client, id, { streams: streamsOf(foreground), signal });
    await accompany(process, { context, terminal });
    await process.delete();
  },
});
