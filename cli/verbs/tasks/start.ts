import { startTask } from "../../../mod.ts";
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
import { defineVerb } from "../../verb.ts";

export default defineVerb({
  summary: "Start what a container was created for",
  examples: ["tasks start web", "tasks start -d --log-uri file:///var/log/web.log web"],
  args: [{ name: "ID", summary: "of a container", completes: "container" }],
  options: { ...detachOption, ...outputOptions },
  runsProcess: true,
  async run(context): Promise<string | undefined> {
    const { args: [id = ""], options, namespaced, foreground, signal } = context;
    const { detach } = options;
    const client = await namespaced();
    const { process: described } = await client.containers.spec(id, { signal });
    const tty = described?.terminal === true;
    if (tty && options.nullIo) throw new UsageError("Cannot use --null-io: the container wants a terminal");
    const output = outputOf({ ...options, tty });
    using stack = new DisposableStack();
    const terminal = tty && !detach
      ? stack.use(requireTerminal(context, "the container wants one; --detach leaves it to tasks attach"))
      : undefined;
    const streams = detach ? undefined : output === undefined ? streamsOf(foreground) : {};
    const process = await explainingCommand(startTask(client, id, { streams, output, signal }), {
      command: [],
    });
    await writePidFile(options.pidFile, process);
    await conclude(process, { context, terminal });
    return detach ? id : undefined;
  },
});
