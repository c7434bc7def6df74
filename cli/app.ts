import type { TracedCall } from "../lib/host.ts";
import { readCommandLine, type Request, wantsJson } from "./command_line.ts";
import type { Connect } from "./connection.ts";
import { contextFor, formOf, LazyConnection } from "./context.ts";
import { Ending } from "./ending.ts";
import { failureOf } from "./errors.ts";
import type { Globals } from "./globals.ts";
import type { Io } from "./io.ts";
import { type LogSettings, StderrLog } from "./log.ts";
import { Output, OutputClosed } from "./output.ts";
import { Tally } from "./tally.ts";

/** What a run may be given from outside. */
export interface RunOptions {
  /** Ends the run; an `Interrupted` as its reason decides the exit code. */
  signal?: AbortSignal;
  /** Instead of connecting to a socket. */
  connect?: Connect;
}

/** Does what a command line says; resolves to the exit code. */
export async function run(argv: readonly string[], io: Io, options: RunOptions = {}): Promise<number> {
  const output = new Output(io);
  let log = new StderrLog(io, { format: wantsJson(argv) ? "json" : "text", debug: argv.includes("--debug") });
  using plugins = new DisposableStack();
  try {
    const request = await readCommandLine(argv, async (target) => {
      const { openPlugin } = await import("./plugin/host.ts");
      return plugins.use(await openPlugin(target, { signal: options.signal }));
    });
    if (request.kind === "run") {
      log = new StderrLog(io, logSettings(request.globals, io));
      return await perform(request, { io, output, log, ...options });
    }
    await output.write(await informationOn(request));
    await output.flush();
    return 0;
  } catch (error) {
    if (error instanceof OutputClosed) return 0;
    const failure = failureOf(error);
    log.error(failure, error);
    return failure.exit;
  } finally {
    log.end();
  }
}

interface Surroundings extends RunOptions {
  io: Io;
  output: Output;
  log: StderrLog;
}

/** Runs a verb and shows what it returns. */
async function perform(
  request: Extract<Request, { kind: "run" }>,
  { io, output, log, signal: outside, connect }: Surroundings,
): Promise<number> {
  const { verb, globals } = request;
  using ending = new Ending({ signal: outside, timeoutMs: globals.timeout });
  const { signal } = ending;
  await using connection = new LazyConnection({
    address: globals.address ?? io.env("CONTAINERD_ADDRESS"),
    connectTimeoutMs: globals.connectTimeout,
    grpcOnly: io.env("DAVIT_TRANSPORT") === "grpc",
    signal,
    noWrites: globals.noWrites,
    newNamespaces: { refuses: globals.noCreateNamespace, announce: (message) => log.warn(message) },
    watch: globals.debug ? (call) => log.debug(describe(call), { ...call }) : undefined,
  }, connect);
  const tally = new Tally();
  const work = async () => {
    const { render } = await import("./render.ts");
    const result = await verb.run(contextFor(request, { io, log, tally, connection, signal }));
    const rendering = {
      form: formOf(globals),
      columns: verb.columns,
      acrossNamespaces: globals.allNamespaces,
      headers: !globals.noHeaders,
      now: new Date(),
    };
    await render(tally.counted(result), rendering, (text) => output.write(text));
  };
  try {
    await ending.bound(work());
  } catch (error) {
    if (error instanceof OutputClosed) throw error;
    await output.flush();
    if (signal.aborted) throw signal.reason;
    if (!tally.hasFailures) throw error;
    log.error(tally.failed(error), error);
  }
  await output.flush();
  if (tally.hasFailures && signal.aborted) throw signal.reason;
  const { summary } = tally;
  if (summary) log.error(summary);
  return tally.exit;
}

function logSettings({ output, logFormat, progress, debug }: Globals, io: Io): LogSettings {
  const isJson = output === "json" || output === "jsonl";
  const format = logFormat ?? (isJson ? "json" : "text");
  const automatic = format === "text" && io.terminal !== undefined ? "tty" : "none";
  return { format, debug, progress: progress === "auto" ? automatic : progress };
}

function describe({ method, namespace, durationMs, sentBytes, receivedBytes, status }: TracedCall): string {
  return `${method} in ${namespace}: ${status}, ${durationMs.toFixed(1)} ms, ` +
    `${sentBytes} bytes sent, ${receivedBytes} received`;
}

async function informationOn(request: Exclude<Request, { kind: "run" }>): Promise<string> {
  if (request.kind === "version") return `davit ${(await import("./version.ts")).version}\n`;
  const help = await import("./help.ts");
  if (request.kind === "help of a verb") return help.helpOfVerb(request.words, request.verb);
  return request.noun === undefined ? help.overview() : help.helpOfNoun(request.noun);
}
