import type { ExitStatus } from "../../../mod.ts";
import { checkExecId } from "../../exec_id.ts";
import { defineVerb } from "../../verb.ts";

interface Row extends ExitStatus {
  id: string;
}

export default defineVerb({
  summary: "Wait for the end of a task, and end with its exit code",
  examples: ["tasks wait web"],
  args: [{ name: "ID", summary: "of its container", completes: "task" }],
  options: { execId: { type: "string", placeholder: "ID", summary: "for a process that exec started" } },
  columns: [
    { header: "TASK", key: "id" },
    { header: "EXIT", key: "exitStatus" },
    { header: "EXITED", key: "exitedAt" },
  ],
  runsProcess: true,
  async run({ args: [id = ""], options: { execId }, namespaced, exitWith, signal }): Promise<Row> {
    checkExecId(execId);
    const { tasks } = await namespaced();
    const status = await tasks.wait(id, { execId, signal });
    exitWith(status.exitStatus);
    return { id, ...status };
  },
});
