import { type Policy, restricted, servePort, simulated, type Transport } from "../../lib/host.ts";
import type { Access } from "../../mod.ts";
import type { HostContext } from "../context.ts";
import { reportedItem } from "./failure.ts";
import type { Answer, Notice, ToWorker } from "./messages.ts";
import { readProgress } from "./progress.ts";
import { RunLeases } from "./run_leases.ts";
import type { Sandbox } from "./sandbox.ts";

/** How long a plugin may clean up when its run has to end, in milliseconds. */
const graceMs = 3_000;

/** What a run of a plugin works with. */
export interface Surroundings {
  sandbox: Sandbox;
  access: Required<Access>;
  /** Whether the plugin itself sees to it that a dry run changes nothing. */
  plans: boolean;
  context: HostContext;
  transport: Transport;
}

/** Runs a plugin that is loaded. Resolves to what a verb returns: nothing, a row, or an AsyncIterable of rows. */
export async function runPlugin(surroundings: Surroundings): Promise<unknown> {
  const { namespace, args, options, signal } = surroundings.context;
  const dryRun = surroundings.context.dryRun && surroundings.plans;
  signal.throwIfAborted();
  const run = new PluginRun(surroundings);
  const answer = await run.ask({ type: "run", settings: { namespace, args, options, dryRun } });
  if (answer.type === "rows") return run.rows();
  await run.end();
  return answer.type === "value" ? answer.value : undefined;
}

/** The way to containerd that a plugin gets, and the end of it. */
class PluginRun {
  readonly #sandbox: Sandbox;
  readonly #signal: AbortSignal;
  readonly #leases: RunLeases;
  readonly #server: AsyncDisposable;
  #grace: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;

  constructor(surroundings: Surroundings) {
    const { sandbox, context, transport } = surroundings;
    this.#sandbox = sandbox;
    this.#signal = context.signal;
    this.#leases = new RunLeases(transport);
    this.#server = servePort(
      sandbox.containerd,
      restricted(dryRunning(this.#leases.transport, surroundings), policyOf(surroundings)),
    );
    sandbox.listen((notice) => pass(notice, context));
    context.signal.addEventListener("abort", this.#abort);
  }

  async ask(question: ToWorker): Promise<Answer> {
    try {
      return await this.#sandbox.ask(question);
    } catch (error) {
      await this.end({ broken: true });
      throw error;
    }
  }

  async *rows(): AsyncIterable<unknown> {
    let more = true;
    try {
      while (more) {
        more = false; // should asking fail
        const answer = await this.ask({ type: "next" });
        more = answer.type === "value";
        if (answer.type === "value") yield answer.value;
      }
    } finally {
      if (more) await this.#stop();
      await this.end();
    }
  }

  /** What a run leaves when it breaks off is cleared away; one that ends well may have made a lease to stay. */
  async end({ broken = this.#signal.aborted } = {}): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#grace);
    this.#signal.removeEventListener("abort", this.#abort);
    await this.#server[Symbol.asyncDispose]();
    if (broken) await this.#leases.deleteAll();
  }

  /** The reader wants no more rows. */
  async #stop(): Promise<void> {
    this.#giveUpLater(new DOMException("The plugin did not stop", "TimeoutError"));
    await this.ask({ type: "stop" }).catch(() => {});
  }

  readonly #abort = (): void => {
    const { reason } = this.#signal;
    this.#sandbox.tell({ type: "abort", reason: reason instanceof Error ? reason.message : String(reason) });
    this.#giveUpLater(reason);
  };

  #giveUpLater(reason: unknown): void {
    this.#grace ??= setTimeout(() => this.#sandbox.fail(reason), graceMs);
  }
}

/** In a dry run of a plugin that does not plan, writing is simulated. */
function dryRunning(transport: Transport, { sandbox, plans, context }: Surroundings): Transport {
  if (!context.dryRun || plans) return transport;
  return simulated(transport, {
    change: (description) => context.log.info(`Would ${description}`),
    end: (error) => sandbox.fail(error),
  });
}

function policyOf({ access: { namespaces, write }, plans, context }: Surroundings): Policy {
  return {
    namespaces: namespaces === "current" ? [context.namespace] : namespaces,
    write,
    dryRun: context.dryRun && plans,
  };
}

function pass(notice: Notice, { log, progress, failed }: HostContext): void {
  switch (notice.type) {
    case "info":
      return log.info(String(notice.message));
    case "warn":
      return log.warn(String(notice.message));
    case "item failed":
      return failed(reportedItem(notice.error));
    case "progress": {
      const state = readProgress(notice.state);
      if (state) progress(state);
    }
  }
}
