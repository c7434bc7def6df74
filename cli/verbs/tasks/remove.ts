import { removeTask } from "../../../mod.ts";
import { each } from "../../each.ts";
import { UsageError } from "../../errors.ts";
import { checkExecId } from "../../exec_id.ts";
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Remove tasks that have ended; their containers stay",
  examples: ["tasks remove web", "tasks remove -f web"],
  args: [{ name: "ID", summary: "of its container", repeats: true, completes: "task" }],
  options: {
    force: { type: "boolean", short: "f", summary: "end it first if it runs" },
    execId: { type: "string", placeholder: "ID", summary: "a process that exec started, not the task" },
    ignoreMissing: { type: "boolean", summary: "pass over those that are not there" },
  },
  async *run(context): AsyncIterable<string> {
    const { args, options: { force, execId, ignoreMissing }, namespaced, signal } = context;
    checkExecId(execId);
    if (force && execId !== undefined) throw new UsageError("Cannot use both --force and --exec-id");
    const client = await namespaced();
    yield* each(args, {
      context,
      ignoreMissing,
      async work(id) {
        if (execId === undefined) await removeTask(client, id, { force, signal });
        else await client.tasks.deleteProcess(id, { execId, signal });
        return id;
      },
    });
  },
});
