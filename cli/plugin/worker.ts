/**
 * The entry of the worker that a plugin runs in. It has the plugin's few permissions; what it says is sent to the
 * host, which believes none of it.
 */
import { MessagePortTransport } from "../../lib/host.ts";
import {
  Client,
  ContainerdError,
  type LeaseOwner,
  type Plugin,
  type PluginContext,
  type Progress,
} from "../../mod.ts";
import type { ErrorReport, FromWorker, RunSettings, Start, ToWorker } from "./messages.ts";
import { wholePattern } from "./pattern.ts";

addEventListener("message", (event) => start((event as MessageEvent<Start>).data), { once: true });

function start({ plugin, control, containerd }: Start): void {
  const guest = new Guest(control, containerd);
  secure(guest);
  control.onmessage = ({ data }: MessageEvent<ToWorker>) => guest.answer(data);
  guest.load(plugin);
}

/** A plugin that answers to its host. */
class Guest {
  readonly #host: MessagePort;
  readonly #containerd: MessagePort;
  readonly #aborting = new AbortController();
  #plugins: readonly Plugin[] = [];
  #rows: Iterator<unknown> | AsyncIterator<unknown> | undefined;

  constructor(host: MessagePort, containerd: MessagePort) {
    this.#host = host;
    this.#containerd = containerd;
  }

  tell(message: FromWorker): void {
    this.#host.postMessage(message);
  }

  fail(error: unknown): void {
    this.tell({ type: "failed", error: reportOf(error) });
  }

  async load(url: string): Promise<void> {
    try {
      const loaded = defaultOf(await import(url));
      this.#plugins = (Array.isArray(loaded) ? loaded : [loaded]).map(pluginOf);
      const definitions = this.#plugins.map(({ run: _, ...definition }) => definition);
      this.tell({ type: "loaded", definition: Array.isArray(loaded) ? definitions : definitions[0] });
    } catch (error) {
      this.fail(error);
    }
  }

  async answer(message: ToWorker): Promise<void> {
    try {
      if (message.type === "match") {
        const value = message.texts.map(({ text, pattern }) => wholePattern(pattern).test(text));
        this.tell({ type: "value", value });
      } else if (message.type === "run") await this.#run(message.settings);
      else if (message.type === "next") await this.#next();
      else if (message.type === "stop") await this.#stop();
      else this.#aborting.abort(new DOMException(message.reason, "AbortError"));
    } catch (error) {
      this.fail(error);
    }
  }

  async #run(settings: RunSettings): Promise<void> {
    const result = await this.#plugins[settings.index]!.run(this.#context(settings));
    this.#rows = iteratorOf(result);
    this.tell(this.#rows ? { type: "rows" } : { type: "value", value: result });
  }

  async #next(): Promise<void> {
    const { value, done } = await this.#rows!.next();
    this.tell(done ? { type: "done" } : { type: "value", value });
  }

  async #stop(): Promise<void> {
    await this.#rows?.return?.();
    this.tell({ type: "done" });
  }

  #context({ namespace, args, options, dryRun }: RunSettings): PluginContext {
    return {
      // Who holds a lease that is released at the end: the host puts in what else it knows.
      client: new Client(new MessagePortTransport(this.#containerd), { owner }).namespace(namespace),
      args,
      options,
      dryRun,
      log: {
        info: (message) => this.tell({ type: "info", message }),
        warn: (message) => this.tell({ type: "warn", message }),
      },
      progress: (state: Progress) => this.tell({ type: "progress", state }),
      failed: (error) => this.tell({ type: "item failed", error: reportOf(error) }),
      signal: this.#aborting.signal,
    };
  }
}

function owner(): Promise<LeaseOwner> {
  return Promise.resolve({ pid: Deno.pid });
}

/** Sends what would end the worker unseen, or appear on stdout between the rows, to the host. */
function secure(guest: Guest): void {
  const ends = () => {
    throw new Error("a plugin ends by returning from run, or by throwing");
  };
  Object.assign(Deno, { exit: ends });
  Object.assign(globalThis, { close: ends });
  Object.defineProperty(globalThis, "caches", { value: undefined }); // no permission guards what is written there
  const writer = (type: "info" | "warn") => (...values: unknown[]) =>
    guest.tell({ type, message: values.map(textOf).join(" ") });
  const [info, warn] = [writer("info"), writer("warn")];
  Object.assign(console, { debug: info, log: info, info, warn, error: warn });
  for (const type of ["error", "unhandledrejection"]) {
    addEventListener(type, (event) => {
      event.preventDefault();
      const { error, message, reason } = event as ErrorEvent & PromiseRejectionEvent;
      guest.fail(error ?? (type === "error" ? message : reason)); // that of a worker has nothing but a message
    });
  }
}

function defaultOf(module: Readonly<Record<string, unknown>>): unknown {
  if ("default" in module) return module.default;
  throw new Error("it has no default export");
}

function pluginOf(exported: unknown): Plugin {
  const plugin = Object(exported) as Partial<Plugin>;
  if (typeof plugin.run === "function") return plugin as Plugin;
  throw new Error("its default export is not a plugin, which definePlugin makes");
}

function iteratorOf(result: unknown): Iterator<unknown> | AsyncIterator<unknown> | undefined {
  if (typeof result !== "object" || result === null) return undefined;
  const rows = result as Partial<AsyncIterable<unknown> & Iterable<unknown>>;
  return rows[Symbol.asyncIterator]?.() ?? rows[Symbol.iterator]?.();
}

function reportOf(error: unknown): ErrorReport {
  if (!(error instanceof Error)) return { name: "Error", message: textOf(error) };
  const { name, message, stack } = error;
  return { name, message, stack, details: error instanceof ContainerdError ? error.details : undefined };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : Deno.inspect(value);
}
