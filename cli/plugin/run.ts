import { type Lack, type Policy, restricted, servePort, simulated, type Transport } from "../../lib/host.ts";
import type { Access, Options } from "../../mod.ts";
import type { HostContext } from "../context.ts";
import { UsageError } from "../errors.ts";
import { flagName } from "../options.ts";
import { reportedItem } from "./failure.ts";
import type { Answer, Notice, ToWorker } from "./messages.ts";
import { cut, OutputLimit } from "./limits.ts";
import { readProgress } from "./progress.ts";
import { RunLeases } from "./run_leases.ts";
import type { Sandbox } from "./sandbox.ts";
import type { Limit } from "./settings.ts";

/** How long a plugin may clean up when its run has to end, in milliseconds. */
const graceMs = 3_000;

/** What a run of a plugin works with. */
export interface Surroundings {
  sandbox: Sandbox;
  access: Required<Access>;
  /** Whether the plugin itself sees to it that a dry run changes nothing. */
  plans: boolean;
  /** Its rows come for as long as it runs. */
  endless: boolean;
  /** Which plugin of its file. */
  index: number;
  limits: readonly Limit[];
  context: HostContext;
  transport: Transport;
}

/**
 * Makes sure that options match their patterns. The worker finds out, since a pattern may take for ever.
 *
 * @throws {UsageError} when one does not.
 */
export async function checkPatterns(
  sandbox: Sandbox,
  table: Options,
  { options, signal }: Pick<HostContext, "options" | "signal">,
): Promise<void> {
  const texts = Object.entries(table).flatMap(([name, option]) => {
    const text = options[name];
    return option.type === "string" && option.pattern !== undefined && typeof text === "string"
      ? [{ name, text, pattern: option.pattern }]
      : [];
  });
  if (texts.length === 0) return;
  const giveUp = () => sandbox.fail(signal.reason);
  signal.addEventListener("abort", giveUp);
  const answer = await sandbox.ask({ type: "match", texts }).finally(() =>
    signal.removeEventListener("abort", giveUp)
  );
  const matches = answer.type === "value" && Array.isArray(answer.value) ? answer.value : [];
  const wrong = texts.find((_, index) => matches[index] !== true);
  if (wrong === undefined) return;
  throw new UsageError(
    `Cannot use ${JSON.stringify(wrong.text)} for --${
      flagName(wrong.name)
    }: it does not match ${wrong.pattern}`,
  );
}

/** Runs a plugin that is loaded. Resolves to what a verb returns: nothing, a row, or an AsyncIterable of rows. */
export async function runPlugin(surroundings: Surroundings): Promise<unknown> {
  const { namespace, args, options, signal } = surroundings.context;
  const { index } = surroundings;
  const dryRun = surroundings.context.dryRun && surroundings.plans;
  signal.throwIfAborted();
  const run = new PluginRun(surroundings);
  const answer = await run.ask({ type: "run", settings: { index, namespace, args, options, dryRun } });
  if (answer.type === "rows") return run.rows();
  if (answer.type === "value") await run.count(answer.value);
  await run.end();
  return answer.type === "value" ? answer.value : undefined;
}

/** The way to containerd that a plugin gets, and the end of it. */
class PluginRun {
  readonly #sandbox: Sandbox;
  readonly #signal: AbortSignal;
  readonly #leases: RunLeases;
  readonly #server: AsyncDisposable;
  readonly #output: OutputLimit;
  readonly #forgetting: Promise<void> | undefined;
  #grace: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;

  constructor(surroundings: Surroundings) {
    const { sandbox, context, transport } = surroundings;
    this.#sandbox = sandbox;
    this.#signal = context.signal;
    this.#output = new OutputLimit(surroundings);
    this.#leases = new RunLeases(transport);
    const policy = policyOf(surroundings);
    if (policy.write !== false && !context.dryRun) {
      this.#forgetting = this.#leases.forgetDead(policy.namespaces).catch(() => {}); // of no concern to this run
    }
    this.#server = servePort(
      sandbox.containerd,
      restricted(dryRunning(this.#leases.transport, surroundings), policy),
      { onFlood: () => sandbox.overflow() },
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
        if (answer.type !== "value") continue;
        await this.count(answer.value);
        yield answer.value;
      }
    } finally {
      if (more) await this.#stop();
      await this.end();
    }
  }

  /** Counts what is put out; too much of it ends the run. */
  async count(value: unknown): Promise<void> {
    try {
      this.#output.count(value);
    } catch (error) {
      this.#sandbox.failFor((error as Error).message);
      await this.ask({ type: "stop" }); // throws what was said
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
    await this.#forgetting;
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

function policyOf({ access: { namespaces, write }, plans, limits, context }: Surroundings): Policy {
  const declared = namespaces === "current" ? [context.namespace] : namespaces;
  return {
    namespaces: limits.reduce<Policy["namespaces"]>(
      (allowed, limit) => inBoth(allowed, limit.namespaces ?? "any"),
      declared,
    ),
    write: limits.reduce<Policy["write"]>((allowed, limit) => lesser(allowed, limit.write ?? allowed), write),
    dryRun: context.dryRun && plans,
    narrowed: (lack) => narrowed(lack, { declared, write, limits }),
  };
}

/** The namespaces that two allow. */
export function inBoth(some: Policy["namespaces"], others: Policy["namespaces"]): Policy["namespaces"] {
  if (some === "any") return others;
  return others === "any" ? some : some.filter((name) => others.includes(name));
}

const byPower: readonly Policy["write"][] = [false, "images", "all"];

/** What two allow to write. */
export function lesser(one: Policy["write"], other: Policy["write"]): Policy["write"] {
  return byPower.indexOf(one) < byPower.indexOf(other) ? one : other;
}

/** What to say of something that the plugin declares and its user does not allow. */
function narrowed(
  lack: Lack,
  { declared, write, limits }: Pick<Policy, "write"> & {
    declared: Policy["namespaces"];
    limits: readonly Limit[];
  },
): string | undefined {
  if ("namespace" in lack) {
    const { namespace } = lack;
    if (declared !== "any" && !declared.includes(namespace)) return undefined;
    const limit = limits.find(({ namespaces }) => namespaces?.includes(namespace) === false);
    return limit?.remedy === "flag"
      ? `--allow-namespace leaves it out: --allow-namespace=${namespace} would allow it`
      : `the configuration's grant for the plugin leaves out ${JSON.stringify(namespace)}`;
  }
  if (byPower.indexOf(lack.write) > byPower.indexOf(write)) return undefined;
  return `the configuration's grant for the plugin sets write to less than ${JSON.stringify(lack.write)}`;
}

function pass(notice: Notice, { log, progress, failed }: HostContext): void {
  switch (notice.type) {
    case "info":
      return log.info(cut(notice.message));
    case "warn":
      return log.warn(cut(notice.message));
    case "item failed":
      return failed(reportedItem(notice.error));
    case "progress": {
      const state = readProgress(notice.state);
      if (state) progress(state);
    }
  }
}
