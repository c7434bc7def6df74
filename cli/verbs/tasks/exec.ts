import { execProcess } from "../../../mod.ts";
import { UsageError } from "../../errors.ts";
import {
  conclude,
  detachOption,
  explainingCommand,
  outputOf,
  outputOptions,
  requireTerminal,
  streamsOf,
  writePidFile,
} from "../../foreground_process.ts";
import { checkProcess, containerOptions } from "../../container_options.ts";
import { checkExecId } from "../../exec_id.ts";
import { defineVerb } from "../../verb.ts";

const { tty, env, cwd, user } = containerOptions;
const { logUri, pidFile } = outputOptions;

export default defineVerb({
  summary: "Run one more command in a container that runs",
  examples: ["tasks exec web ls -l /", "tasks exec -t web sh"],
  args: [
    { name: "ID", summary: "of the container", completes: "task" },
    { name: "COMMAND", summary: "passed on as it is", repeats: true },
  ],
  options: {
    execId: { type: "string", placeholder: "ID", summary: "of the process [made up]" },
    ...{ tty, env, cwd, user, logUri, pidFile },
    detach: { ...detachOption.detach, summary: "leave it running; its output goes to --log-uri or nowhere" },
  },
  commandAfter: 1,
  runsProcess: true,
  async run(context): Promise<string | undefined> {
    const { args: [containerId = ""], command, options, namespaced, foreground, signal } = context;
    const { detach, tty: wantsTerminal, execId, env, cwd, user, logUri } = options;
    if (wantsTerminal && detach) throw new UsageError("Cannot use both --tty and --detach");
    checkExecId(execId);
    checkProcess({ env, cwd });
    const output = outputOf({ tty: wantsTerminal, logUri, nullIo: detach && logUri === undefined });
    const client = await namespaced();
    using stack = new DisposableStack();
    const terminal = wantsTerminal ? stack.use(requireTerminal(context, "leave out --tty")) : undefined;
    const streams = detach ? undefined : output === undefined ? streamsOf(foreground) : {};
    const process = await explainingCommand(
      execProcess(client, {
        ...{ containerId, execId, command, env, cwd, user },
        ...{ streams, output, terminal: wantsTerminal, signal },
      }),
      { command },
    );
    await writePidFile(options.pidFile, process);
    await conclude(process, { context, terminal });
    return detach ? process.execId : undefined;
  },
});
