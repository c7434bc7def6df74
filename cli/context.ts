import type { Transport } from "../lib/host.ts";
import type { Client } from "../mod.ts";
import type { Invocation } from "./command_line.ts";
import type { Connect, ConnectionSettings } from "./connection.ts";
import type { Form } from "./globals.ts";
import { type Config, originsOf } from "./config.ts";
import type { Io } from "./io.ts";
import type { StderrLog } from "./log.ts";
import type { HostFlags } from "./plugin/settings.ts";
import type { Tally } from "./tally.ts";
import type { VerbContext } from "./verb.ts";

/** What the host of plugins gets beyond what verbs get. */
export interface HostContext extends VerbContext {
  /** Connects on first use. */
  transport(): Promise<Transport>;
}

/** What a context is made from. */
export interface Surroundings {
  io: Io;
  log: StderrLog;
  tally: Tally;
  connection: LazyConnection;
  config: Config;
  hostFlags: HostFlags;
  signal: AbortSignal;
}

/** How results are shown, of `-o` and `-q`. */
export function formOf({ output, quiet }: { output: Form; quiet: boolean }): Form {
  return quiet ? "name" : output;
}

/** What a verb's `run` receives. */
export function contextFor(
  { globals, options, args, command }: Extract<Invocation, { kind: "run" }>,
  { io, log, tally, connection, config, hostFlags, signal }: Surroundings,
): HostContext {
  const form = formOf(globals);
  const env = (name: string) => io.env(name);
  const origins = originsOf(globals, { config, env });
  const namespace = origins.namespace?.value ?? "default";
  return {
    args,
    command,
    options,
    namespace,
    onlyNamespace: globals.allNamespaces ? undefined : globals.namespace,
    snapshotter: io.env("CONTAINERD_SNAPSHOTTER"),
    allNamespaces: globals.allNamespaces,
    dryRun: globals.dryRun,
    noWrites: globals.noWrites,
    yes: globals.yes,
    wide: form !== "table" && form !== "name",
    quiet: form === "name",
    address: connection.address,
    origins,
    client: () => connection.client(),
    namespaced: async () => (await connection.client()).namespace(namespace),
    transport: () => connection.transport(),
    registry: async (reference, flags) => {
      const { openRegistryFor } = await import("./registry.ts");
      return await openRegistryFor(reference, flags, {
        env,
        stdin: () => io.stdin(),
        onRetry: ({ reason, waitMs }) => log.warn(`${reason}; trying again in ${Math.ceil(waitMs / 1000)} s`),
        onAnswer: (answer) => {
          const { method, url, status, milliseconds } = answer;
          log.debug(`${method} ${url}: ${status} in ${milliseconds} ms`, { ...answer });
        },
      });
    },
    plugins: { flags: hostFlags, config, env },
    log,
    progress: (state) => log.progress(state),
    confirm: async (question) => {
      if (!globals.yes) await (await import("./confirm.ts")).confirm(question, { io, log });
    },
    failed: (error) => tally.failed(error, (failure) => log.error(failure, error)),
    found: () => tally.found(),
    exitWith: (code) => tally.exitWith(code),
    foreground: io,
    outputIsTerminal: io.outputIsTerminal,
    stdin: () => io.stdin(),
    signal,
  };
}

/** A connection that is opened when it is first asked for. */
export class LazyConnection implements AsyncDisposable {
  readonly #settings: ConnectionSettings;
  readonly #connect: Connect | undefined;
  #transport: Promise<Transport> | undefined;
  #client: Promise<Client> | undefined;

  constructor(settings: ConnectionSettings, connect: Connect | undefined) {
    this.#settings = settings;
    this.#connect = connect;
  }

  /** As it was given; `undefined` is containerd's default. */
  get address(): string | undefined {
    return this.#settings.address;
  }

  transport(): Promise<Transport> {
    return this.#transport ??= import("./connection.ts")
      .then(({ openTransport }) => openTransport(this.#settings, this.#connect));
  }

  client(): Promise<Client> {
    return this.#client ??= this.transport().then(async (transport) => {
      const { clientOver } = await import("./connection.ts");
      return clientOver(transport);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const transport = await this.#transport?.catch(() => undefined); // whoever asked for it knows
    await transport?.[Symbol.asyncDispose]();
  }
}
