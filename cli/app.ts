import type { TracedCall } from "../lib/host.ts";
import { type Invocation, readCommandLine, wantsJson } from "./command_line.ts";
import { type Config, placeOf, readConfig } from "./config.ts";
import type { Connect, ConnectionSettings } from "./connection.ts";
import { contextFor, formOf, LazyConnection } from "./context.ts";
import { Ending } from "./ending.ts";
import { besideProcess, failureOf } from "./errors.ts";
import { type Globals, isJob } from "./globals.ts";
import type { Io } from "./io.ts";
import { type LogSettings, StderrLog } from "./log.ts";
import { Output, OutputClosed } from "./output.ts";
import { type HostFlags, hostFlagsIn } from "./plugin/settings.ts";
import type { ProgressForm } from "./progress.ts";
import type { Rendering } from "./render.ts";
import { isIterable, Tally } from "./tally.ts";
import type { Attempt, Observer } from "./unattended/job.ts";
import { printsBytes, type Verb } from "./verb.ts";

/** What a run may be given from outside. */
export interface RunOptions {
  /** Ends the run; an `Interrupted` as its reason decides the exit code. */
  signal?: AbortSignal;
  /** Instead of connecting to a socket. */
  connect?: Connect;
}

/** Does what a command line says; resolves to the exit code. */
export async function run(argv: readonly string[], io: Io, options: RunOptions = {}): Promise<number> {
  if (argv[0] === "__complete") {
    await (await import("./completion/complete.ts")).complete(argv.slice(1), io, options);
    return 0;
  }
  let log = new StderrLog(io, { format: wantsJson(argv) ? "json" : "text", debug: argv.includes("--debug") });
  const output = new Output(io, () => log.makeWay());
  using plugins = new DisposableStack();
  let runsProcess = false;
  const hostFlags = hostFlagsIn(argv);
  let reading: Promise<Config> | undefined;
  const configuration = () => reading ??= readConfig(io, log);
  const env = (name: string) => io.env(name);
  try {
    const invocation = await readCommandLine(argv, async (target, next) => {
      const { openPlugin } = await import("./plugin/host.ts");
      const settings = { flags: hostFlags, config: await configuration(), env };
      return plugins.use(await openPlugin(target, { signal: options.signal, settings, next }));
    }, { onVerb: (verb) => runsProcess = verb.runsProcess === true, env });
    if (invocation.kind === "run") {
      log = new StderrLog(io, logSettings(invocation.globals, io));
      const config = configFor(invocation.verb, await configuration(), log);
      const surroundings = { io, output, log, config, hostFlags, ...options };
      if (hasFiles(invocation.verb)) {
        const { withTexts } = await import("./text_files.ts");
        invocation.options = await withTexts(invocation, io);
      }
      return await (isJob(invocation.globals)
        ? performAsJob(invocation, { argv, surroundings })
        : perform(invocation, surroundings));
    }
    await output.write(await informationOn(invocation));
    await output.flush();
    return 0;
  } catch (error) {
    if (error instanceof OutputClosed) return 0;
    const failure = runsProcess ? besideProcess(failureOf(error)) : failureOf(error);
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
  config: Config;
  hostFlags: HostFlags;
}

/** Runs a verb as a job that nobody watches. */
async function performAsJob(
  invocation: Extract<Invocation, { kind: "run" }>,
  { argv, surroundings }: { argv: readonly string[]; surroundings: Surroundings },
): Promise<number> {
  const { runJob } = await import("./unattended/job.ts");
  const { globals, words, verb: { repeatable = false } } = invocation;
  const { io, log, signal } = surroundings;
  const attempt = (settings: Attempt) => perform(invocation, surroundings, settings);
  return await runJob({ globals, verb: words.join(" "), argv, io, log, signal, repeatable, attempt });
}

/** Runs a verb, shows what it returns, and sums up. */
async function perform(
  invocation: Extract<Invocation, { kind: "run" }>,
  { io, output, log, config, hostFlags, signal: outside, connect }: Surroundings,
  { observer, isLast = true, timeoutMs = invocation.globals.timeout }: Partial<Attempt> = {},
): Promise<number> {
  const { verb, globals } = invocation;
  using ending = new Ending({ signal: outside, timeoutMs });
  const { signal } = ending;
  await using connection = new LazyConnection(
    connectionSettings(globals, { io, log, config, signal, observer }),
    connect,
  );
  const tally = new Tally(observer);
  const work = async () => {
    const result = await verb.run(
      contextFor(invocation, { io, log, tally, connection, config, hostFlags, signal }),
    );
    if (printsBytes(verb, invocation.args)) return await output.pour(result as AsyncIterable<Uint8Array>);
    if (result === undefined) return;
    const { render } = await import("./render.ts");
    const counted = tally.counted(result);
    // What fails now is shown by the attempt after it.
    const shown = isLast || !isIterable(counted) ? counted : await Array.fromAsync(counted);
    const rendering = { ...renderingFor(verb, globals), hasFailures: () => tally.hasFailures };
    await render(shown, rendering, (text) => output.write(text));
  };
  const unread = async () => {
    await io.untilUnread(signal);
    throw new OutputClosed("The output was closed");
  };
  try {
    // Without events there is no writing that would fail.
    await Promise.race([ending.bound(work()), ...(verb.endless ? [unread()] : [])]);
  } catch (error) {
    if (error instanceof OutputClosed) throw error;
    await output.flush();
    if (signal.aborted) throw signal.reason;
    if (!tally.hasFailures) throw error;
    tally.failed(error, (failure) => log.error(failure, error));
  }
  await output.flush();
  if (tally.hasFailures && signal.aborted) throw signal.reason;
  const { summary } = tally;
  if (summary) log.error(summary);
  return tally.exit;
}

/** What chooses another context must not fail for want of the one that is chosen. */
function configFor({ choosesContext = false }: Verb, config: Config, log: StderrLog): Config {
  const { context, contextFile, ...rest } = config;
  const isLost = context !== undefined && !Object.hasOwn(config.contexts, context);
  if (!isLost || !choosesContext) return config;
  log.warn(`${contextFile} uses context ${JSON.stringify(context)}, which no configuration has`);
  return rest;
}

function hasFiles({ options = {} }: Verb): boolean {
  return Object.values(options).some(({ type }) => type === "file");
}

function connectionSettings(
  globals: Globals,
  { io, log, config, signal, observer }: {
    io: Io;
    log: StderrLog;
    config: Config;
    signal: AbortSignal;
    observer: Observer | undefined;
  },
): ConnectionSettings {
  const watchers = [
    ...(globals.debug ? [(call: TracedCall) => log.debug(describe(call), { ...call })] : []),
    ...(observer === undefined ? [] : [(call: TracedCall) => observer.call(call)]),
  ];
  return {
    address: placeOf(globals, { config, env: (name) => io.env(name) }).address,
    connectTimeoutMs: globals.connectTimeout,
    grpcOnly: io.env("DAVIT_TRANSPORT") === "grpc",
    noWrites: globals.noWrites,
    newNamespaces: { refuses: globals.noCreateNamespace, announce: (message) => log.warn(message) },
    signal,
    watch: watchers.length === 0 ? undefined : (call) => watchers.forEach((watch) => watch(call)),
  };
}

function renderingFor({ columns, endless = false }: Verb, globals: Globals): Rendering {
  return {
    form: formOf(globals),
    columns,
    endless,
    acrossNamespaces: globals.allNamespaces,
    headers: !globals.noHeaders,
    now: new Date(),
  };
}

function logSettings({ output, logFormat, progress, debug }: Globals, io: Io): LogSettings {
  const isJson = output === "json" || output === "jsonl";
  const format = logFormat ?? (isJson ? "json" : "text");
  return {
    format,
    debug,
    progress: progressForm(progress, { format, isTerminal: io.terminal !== undefined }),
  };
}

/** Only a terminal has its lines rewritten, and JSON is not mixed with anything else. */
function progressForm(
  wanted: Globals["progress"],
  { format, isTerminal }: { format: "text" | "json"; isTerminal: boolean },
): ProgressForm {
  if (wanted === "auto") return format === "text" && isTerminal ? "tty" : "none";
  if (wanted === "none" || format === "json") return wanted === "none" ? "none" : "json";
  return wanted === "tty" && !isTerminal ? "plain" : wanted;
}

function describe({ method, namespace, durationMs, sentBytes, receivedBytes, status }: TracedCall): string {
  return `${method} in ${namespace}: ${status}, ${durationMs.toFixed(1)} ms, ` +
    `${sentBytes} bytes sent, ${receivedBytes} received`;
}

async function informationOn(invocation: Exclude<Invocation, { kind: "run" }>): Promise<string> {
  if (invocation.kind === "version") return `davit ${(await import("./version.ts")).version}\n`;
  const help = await import("./help.ts");
  if (invocation.kind === "help of a verb") return help.helpOfVerb(invocation.words, invocation.verb);
  return invocation.noun === undefined ? help.overview() : help.helpOfNoun(invocation.noun);
}
