import { pluginFailure, reportedFailure } from "./failure.ts";
import type { PluginFile } from "./file.ts";
import { Flood } from "./limits.ts";
import type { Answer, FromWorker, Notice, Start, ToWorker } from "./messages.ts";
import type { Permissions } from "./settings.ts";

/** A worker that may read the folder of its plugin and what was granted, and reaches only what its ports lead to. */
export class Sandbox implements Disposable {
  /** Where the plugin's calls to containerd come in. */
  readonly containerd: MessagePort;
  readonly #file: PluginFile;
  readonly #worker: Worker;
  readonly #control: MessagePort;
  readonly #start: Start;
  readonly #notices: Notice[] = [];
  #listener: ((notice: Notice) => void) | undefined;
  readonly #flood = new Flood();
  #isLoaded = false;
  #isAwaiting = false;
  #answer: PromiseWithResolvers<Answer> | undefined;
  #failure: { error: unknown } | undefined;

  constructor(file: PluginFile, permissions: Permissions) {
    const control = new MessageChannel();
    const containerd = new MessageChannel();
    this.containerd = containerd.port1;
    this.#file = file;
    this.#control = control.port1;
    this.#control.onmessage = ({ data }) => this.#receive(Object(data) as FromWorker);
    this.#start = { plugin: file.url, control: control.port2, containerd: containerd.port2 };
    this.#worker = startWorker(file, permissions);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#receive({ type: "failed", error: { name: "Error", message: event.message } });
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
    for (const notice of this.#notices.splice(0)) listener(notice);
  }

  /** Fails what is being waited for, or is asked for later. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#answer?.reject(this.#failure.error);
  }

  /** Ends the worker. One that computes without pause goes on until the process ends. */
  [Symbol.dispose](): void {
    this.#worker.terminate();
    this.#control.close();
    this.containerd.close();
  }

  /** The plugin failed at what the host says. */
  failFor(reason: string): void {
    this.fail(this.#failureOf(reason));
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
    this.#isAwaiting = true;
    send();
    return await this.#answer.promise;
  }

  #receive(message: FromWorker): void {
    const isAwaited = this.#isAwaiting && isAnswer(message);
    if (isAwaited) this.#isAwaiting = false;
    else if (this.#flood.overflows()) {
      this.#worker.terminate();
      return this.fail(this.#failureOf("it sends messages faster than they can be read"));
    }
    switch (message.type) {
      case "loaded":
      case "value":
      case "rows":
      case "done":
        return this.#answer?.resolve(message);
      case "failed":
        return this.fail(reportedFailure(message.error, { file: this.#file, stage: this.#stage }));
      case "info":
      case "warn":
      case "progress":
      case "item failed":
        if (this.#listener) this.#listener(message);
        else this.#notices.push(message);
    }
  }
}

function isAnswer({ type }: FromWorker): boolean {
  return type === "loaded" || type === "value" || type === "rows" || type === "done";
}

/** The import map names the worker's entry, in the source tree `worker.ts` beside this file, in a bundle its own. */
function startWorker({ folder }: PluginFile, { read, net, env, run }: Permissions): Worker {
  const nothing = { ffi: false, import: false, sys: false, write: false };
  const granted = { read: [folder, ...read], net: orNone(net), env: orNone(env), run: orNone(run) };
  return new Worker(import.meta.resolve("davit/plugin-worker"), {
    type: "module",
    deno: { permissions: { ...nothing, ...granted } },
  });
}

/** An empty list would be Deno's "all". */
function orNone(items: readonly string[]): string[] | false {
  return items.length === 0 ? false : [...items];
}
