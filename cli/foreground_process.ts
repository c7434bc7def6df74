/** A process in a container that somebody waits for, at a terminal or in a script. */
import {
  commandFailure,
  NotFoundError,
  type Options,
  parseSignal,
  type ProcessStreams,
  type RunningProcess,
} from "../mod.ts";
import { CliError, UsageError } from "./errors.ts";
import type { Foreground, RawTerminal } from "./foreground.ts";
import { OutputClosed } from "./output.ts";
import type { VerbContext } from "./verb.ts";

/** The options that say where the output of a process goes. */
export const outputOptions = {
  nullIo: { type: "boolean", summary: "no input, and no output to anywhere" },
  logUri: {
    type: "string",
    placeholder: "URI",
    summary: "output to a file instead: file:///var/log/web.log, as containers logs shows it",
  },
  pidFile: { type: "string", placeholder: "FILE", summary: "write its process id there", completes: "file" },
} as const satisfies Options;

/** The option of verbs that need not wait. */
export const detachOption = {
  detach: {
    type: "boolean",
    short: "d",
    summary: "leave it running; its output waits for tasks attach, or goes to --log-uri",
  },
} as const satisfies Options;

/** What the options of {@linkcode outputOptions} mean. @throws {UsageError} when they contradict each other. */
export function outputOf(
  { nullIo, logUri, tty = false }: { nullIo: boolean; logUri: string | undefined; tty?: boolean },
): "null" | URL | undefined {
  if (nullIo && logUri !== undefined) throw new UsageError("Cannot use both --null-io and --log-uri");
  if (tty && (nullIo || logUri !== undefined)) {
    throw new UsageError(`Cannot use both --tty and --${nullIo ? "null-io" : "log-uri"}`);
  }
  if (nullIo) return "null";
  if (logUri === undefined) return undefined;
  const url = URL.parse(logUri);
  if (url && ["file:", "binary:"].includes(url.protocol)) return url;
  throw new UsageError(
    `Cannot use ${JSON.stringify(logUri)} for --log-uri: expected file:///PATH or binary:///PATH`,
  );
}

/** The streams of the foreground for a process. */
export function streamsOf(foreground: Foreground): ProcessStreams {
  return {
    stdin: foreground.stdin(),
    async stdout(bytes) {
      await foreground.writeOut(bytes).catch((cause) => {
        throw cause instanceof Deno.errors.BrokenPipe
          ? new OutputClosed("The output was closed", { cause })
          : cause;
      });
    },
    async stderr(bytes) {
      await foreground.writeErrorBytes(bytes).catch((cause) => {
        if (!(cause instanceof Deno.errors.BrokenPipe)) throw cause; // nobody is left to be told
      });
    },
  };
}

/**
 * The terminal, from now on raw.
 *
 * @throws {UsageError} when stdin is none, with the hint.
 */
export function requireTerminal(
  { foreground }: Pick<VerbContext, "foreground">,
  hint: string,
): RawTerminal {
  const terminal = foreground.rawTerminal();
  if (terminal) return terminal;
  throw new UsageError("Cannot use a terminal: stdin is none", hint);
}

/** Hands sizes or signals on to a process until it has ended, and ends the run with its exit code. */
export async function accompany(
  process: RunningProcess,
  { context, terminal }: {
    context: Pick<VerbContext, "exitWith" | "foreground" | "log" | "signal">;
    terminal?: RawTerminal | undefined;
  },
): Promise<void> {
  const { exitWith, foreground, log, signal } = context;
  const passOn = async (work: Promise<void>) => {
    await work.catch((error) => {
      if (!(error instanceof NotFoundError)) log.warn(error.message); // it has ended
    });
  };
  using stack = new DisposableStack();
  if (terminal) {
    const resize = () => passOn(process.resize(terminal.size));
    terminal.onResize(resize);
    await resize();
  } else {
    stack.use(foreground.forwardSignals((name) => passOn(process.kill(parseSignal(name)))));
  }
  const { exitStatus } = await process.wait({ signal });
  exitWith(exitStatus);
}

/** Writes the id of a process to a file, if there is to be one. When that fails, the process is ended. */
export async function writePidFile(path: string | undefined, process: RunningProcess): Promise<void> {
  if (path === undefined) return;
  try {
    const { writeFile } = await import("./output_file.ts");
    await writeFile(path, ReadableStream.from([new TextEncoder().encode(String(process.pid))]));
  } catch (error) {
    await process.discard();
    throw error;
  }
}

/** Lets go of a process that was started, or sees it to its end and deletes it. When that fails, it is ended. */
export async function conclude(
  process: RunningProcess,
  { context, terminal }: {
    context: Parameters<typeof accompany>[1]["context"] & {
      options: { detach: boolean };
    };
    terminal: RawTerminal | undefined;
  },
): Promise<void> {
  if (context.options.detach) return process[Symbol.dispose]();
  try {
    await accompany(process, { context, terminal });
    await process.delete();
  } catch (error) {
    await process.discard();
    throw error;
  }
}

/** Says with an exit code of its own, and with a hint, when it is the command that cannot be started. */
export async function explainingCommand<T>(
  work: Promise<T>,
  { command: [first], hint }: { command: readonly string[]; hint?: string | undefined },
): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const failure = commandFailure(error);
    if (failure === undefined) throw error;
    const code = failure === "not found" ? "command_not_found" : "cannot_execute";
    const behind = first?.startsWith("-")
      ? `${JSON.stringify(first)} was taken for the command: davit's own flags stand in front of it`
      : undefined;
    throw new CliError((error as Error).message, { code, hint: behind ?? hint, cause: error });
  }
}
