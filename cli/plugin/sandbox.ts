import { closeNow, Flood } from "../../lib/host.ts";
import { pluginFailure, reportedFailure } from "./failure.ts";
import type { PluginFile } from "./file.ts";
import { MemoryWatch } from "./memory.ts";
import type { Answer, FromWorker, Notice, Start, ToWorker } from "./messages.ts";
import { ownCode, ownVariables } from "./own_code.ts";
import type { Permissions } from "./settings.ts";

/** How much a worker may say before it is shown. */
const mostNotices = 100_000;

/** A worker that may do what was granted, and beyond that reaches only what its ports lead to. */
export class Sandbox implements Disposable {
  /** Where the plugin's calls to containerd come in. */
  readonly containerd: MessagePort;
  readonly #file: PluginFile;
  readonly #worker: Worker;
  readonly #control: MessagePort;
  readonly #start: Start;
  /** What was said and not yet handed on. */
  readonly #notices: Notice[] = [];
  #handingOn: ReturnType<typeof setTimeout> | undefined;
  #listener: ((notice: Notice) => void) | undefined;
  readonly #flood = new Flood();
  readonly #memory: MemoryWatch;
  #isLoaded = false;
  #answer: PromiseWithResolvers<Answer> | undefined;
  #failure: { error: unknown } | undefined;

  constructor(file: PluginFile, permissions: Permissions) {
    const control = new MessageChannel();
    const containerd = new MessageChannel();
    this.containerd = containerd.port1;
    this.#file = file;
    this.#control = control.port1;
    this.#control.onmessage = ({ data }) => this.#take(data);
    this.#start = { plugin: file.url, control: control.port2, containerd: containerd.port2 };
    this.#worker = startWorker(permissions);
    // Once the worker is on its way: the first timer of a process takes some milliseconds.
    this.#memory = new MemoryWatch((most) => this.#giveUp(`it takes more than ${most} of memory`));
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#take({ type: "failed", error: { name: "Error", message: event.message } });
    };
  }

  /** Loads the plugin. Resolves to its definition, whatever that is. */
  async load(): Promise<unknown> {
    const { control, containerd } = this.#start;
    const answer = await this.#ask(() => this.#worker.postMessage(this.#start, [control, containerd]));
    this.#isLoaded = true;
    return answer.type === "loaded" ? answer.definition : undefined;
  }

  /** Asks one thing; whoever asks waits for the answer before asking again. */
  async ask(message: ToWorker): Promise<Answer> {
    return await this.#ask(() => this.tell(message));
  }

  tell(message: ToWorker): void {
    this.#control.postMessage(message);
  }

  /** Hands on what the plugin says, also what it has said so far. */
  listen(listener: (notice: Notice) => void): void {
    this.#listener = listener;
    this.#handOn();
  }

  /** Fails what is being waited for, or is asked for later. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#answer?.reject(this.#failure.error);
  }

  /** Ends the worker. One that computes without pause goes on until the process ends. */
  [Symbol.dispose](): void {
    this.#worker.terminate();
    this.#flood[Symbol.dispose]();
    this.#memory[Symbol.dispose]();
    closeNow(this.#control);
    closeNow(this.containerd);
    if (this.#handingOn !== undefined) clearTimeout(this.#handingOn);
  }

  /** Ends the worker, since it sends more than can be read. */
  overflow(): void {
    this.#giveUp("it sends more messages than can be read");
  }

  /** The plugin failed at what the host says. */
  failFor(reason: string): void {
    this.fail(this.#failureOf(reason));
  }

  #giveUp(reason: string): void {
    this[Symbol.dispose]();
    this.#notices.length = 0;
    this.failFor(reason);
  }

  get #stage(): "load" | "run" {
    return this.#isLoaded ? "run" : "load";
  }

  #failureOf(reason: string): Error {
    return pluginFailure(reason, { file: this.#file, stage: this.#stage });
  }

  async #ask(send: () => void): Promise<Answer> {
    if (this.#failure) throw this.#failure.error;
    this.#answer = Promise.withResolvers();
    send();
    return await this.#answer.promise;
  }

  /** Deno hands over message after message, and lets nothing else happen, as long as there is one: so this is quick. */
  #take(data: unknown): void {
    if (this.#flood.overflows(data) || this.#notices.length > mostNotices) return this.overflow();
    const message = Object(data) as FromWorker;
    if (!isNotice(message)) {
      this.#handOn();
      return this.#receive(message);
    }
    this.#notices.push(message);
    if (this.#listener) this.#handOnLater();
  }

  #handOnLater(): void {
    this.#handingOn ??= setTimeout(() => {
      this.#handingOn = undefined;
      this.#handOn(100);
      if (this.#notices.length > 0) this.#handOnLater();
    }, 0);
  }

  #handOn(most = Infinity): void {
    if (this.#listener) { for (const notice of this.#notices.splice(0, most)) this.#listener(notice); }
  }

  #receive(message: Exclude<FromWorker, Notice>): void {
    switch (message.type) {
      case "loaded":
      case "value":
      case "rows":
      case "done":
        return this.#answer?.resolve(message);
      case "failed":
        return this.fail(reportedFailure(message.error, { file: this.#file, stage: this.#stage }));
    }
  }
}

function isNotice(message: FromWorker): message is Notice {
  return ["info", "warn", "progress", "item failed"].includes(message.type);
}

/** The import map names the worker's entry, in the source tree `worker.ts` beside this file, in a bundle its own. */
function startWorker({ read, net, env, run }: Permissions): Worker {
  const nothing = { ffi: false, import: false, sys: false, write: false };
  const granted = {
    read: [...ownCode(), ...read],
    net: orNone(net),
    env: [...ownVariables, ...env],
    run: orNone(run),
  };
  return new Worker(import.meta.resolve("davit/plugin-worker"), {
    type: "module",
    deno: { permissions: { ...nothing, ...granted } },
  });
}

/** An empty list would be Deno's "all". */
function orNone(items: readonly string[]): string[] | false {
  return items.length === 0 ? false : [...items];
}
