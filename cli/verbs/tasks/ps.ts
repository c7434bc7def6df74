import { defineVerb } from "../../verb.ts";

interface Row {
  pid: number;
  /** Of a process that exec started; absent for others. */
  execId: string | undefined;
  /** As the host knows it; absent when it is gone, or on another machine. */
  command: string | undefined;
}

export default defineVerb({
  summary: "List the processes of a container, as the host sees them",
  examples: ["tasks ps web"],
  args: [{ name: "ID", summary: "of the container", completes: "task" }],
  columns: [
    { header: "PID", key: "pid" },
    { header: "EXEC", key: "execId" },
    { header: "COMMAND", key: "command" },
  ],
  async *run({ args: [id = ""], namespaced, signal }): AsyncIterable<Row> {
    const { tasks } = await namespaced();
    for (const { pid, execId } of await tasks.listPids(id, { signal })) {
      yield { pid, execId, command: await commandOf(pid) };
    }
  },
});

async function commandOf(pid: number): Promise<string | undefined> {
  const words = await Deno.readTextFile(`/proc/${pid}/cmdline`).catch(() => "");
  return words.replaceAll("\0", " ").trim() || undefined;
}
