import { type NamespacedClient, removeContainer, type RunningProcess, startContainer } from "../../mod.ts";
import { containerArguments, containerOptions, readContainer } from "../container_options.ts";
import { UsageError } from "../errors.ts";
import {
  conclude,
  detachOption,
  explainingCommand,
  outputOf,
  outputOptions,
  requireTerminal,
  streamsOf,
  writePidFile,
} from "../foreground_process.ts";
import { defineVerb } from "../verb.ts";

export default defineVerb({
  summary: "Run a command in a new container",
  examples: [
    "run --rm docker.io/library/busybox:latest -- ls -l /",
    "run --rm -t docker.io/library/busybox:latest shell sh",
    "run -d --log-uri file:///var/log/web.log --net-host example.com/web:1 web",
  ],
  args: containerArguments,
  options: {
    rm: { type: "boolean", summary: "remove the container when it has ended" },
    ...detachOption,
    interactive: { type: "boolean", short: "i", summary: "its input is ours, as without this flag" },
    ...outputOptions,
    ...containerOptions,
  },
  commandAfter: 2,
  runsProcess: true,
  async run(context): Promise<string | undefined> {
    const { options, namespaced, foreground } = context;
    const { rm, detach, tty } = options;
    if (rm && detach) {
      throw new UsageError("Cannot use both --rm and --detach: nobody would be there to remove it");
    }
    const output = outputOf(options);
    const client = await namespaced();
    const container = await readContainer(client, context);
    const wantsTerminal = tty || container.spec?.process?.terminal === true;
    using stack = new DisposableStack();
    const terminal = wantsTerminal && !detach
      ? stack.use(requireTerminal(context, "leave out --tty, or use --detach"))
      : undefined;
    const streams = detach ? undefined : output === undefined ? streamsOf(foreground) : {};
    const started = startContainer(client, { ...container, streams, output });
    const process = await explainingCommand(started, {
      command: context.command,
      hint: hintFor(context.args),
    });
    let isNoted = false;
    try {
      await writePidFile(options.pidFile, process);
      isNoted = true;
      await conclude(process, { context, terminal });
    } catch (error) {
      if (rm || !isNoted) await remove(client, process).catch(() => {}); // the first error is the one to tell
      throw error;
    }
    if (rm) await remove(client, process);
    return detach ? container.id : undefined;
  },
});

/** Whoever forgets the id gives the first word of the command for it. */
function hintFor([image, id]: readonly string[]): string | undefined {
  return id === undefined
    ? undefined
    : `${JSON.stringify(id)} was taken for the id of the container; "run ${image} -- COMMAND" makes one up`;
}

async function remove(client: NamespacedClient, { containerId }: RunningProcess): Promise<void> {
  await removeContainer(client, containerId, { force: true }).catch((error) => {
    if (error.code !== "not_found") throw error; // somebody else was quicker
  });
}
