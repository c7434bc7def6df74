import { Client } from "./client.ts";
import type { InMemoryContainerd } from "./in_memory/containerd.ts";
import type { Option, Options, OptionValues } from "./options.ts";
import type { Plugin } from "./plugin.ts";
import { simulated } from "./transport/dry_run.ts";
import { guarded } from "./transport/guard.ts";
import { restricted } from "./transport/policy.ts";
import type { Transport } from "./transport/transport.ts";

/** How to run a plugin in a test. */
export interface TrialOptions<O extends Options> {
  /** What it runs on; what it writes is there afterwards. */
  containerd: InMemoryContainerd;
  /** As of `-n`. Default: `"default"`. */
  namespace?: string;
  /** The positional arguments. Default: none. */
  args?: readonly string[];
  /** Those that are not given have their defaults. */
  options?: Partial<OptionValues<O>>;
  /** As with `--dry-run`: the host simulates what a plugin writes that does not plan. Default: `false`. */
  dryRun?: boolean;
  /** What the plugin's `signal` is; without one nothing ends the run. */
  signal?: AbortSignal;
}

/** What a plugin did in a test. */
export interface Trial {
  /** What it returned: rows, or one value. */
  rows: unknown[];
  /** The lines of its log, and in a dry run what it would have changed. */
  log: string[];
  /** The items that failed. */
  failed: unknown[];
}

/**
 * Runs a plugin on a containerd in memory, with the access that it declares and no more.
 *
 * ```ts
 * import { definePlugin } from "davit";
 * import { assertEquals, InMemoryContainerd, runPlugin } from "davit/testing";
 *
 * const plugin = definePlugin({
 *   name: "names",
 *   summary: "List the names of images",
 *   options: { upper: { type: "boolean", summary: "in capitals" } },
 *   async *run({ client, options }) {
 *     for await (const { name } of client.images.list()) yield options.upper ? name.toUpperCase() : name;
 *   },
 * });
 * const containerd = new InMemoryContainerd({ namespaces: { default: { images: [{ name: "docker.io/library/a:1" }] } } });
 * const { rows } = await runPlugin(plugin, { containerd, options: { upper: true } });
 * assertEquals(rows, ["DOCKER.IO/LIBRARY/A:1"]);
 * ```
 *
 * @throws what the plugin throws.
 */
export async function runPlugin<O extends Options>(
  plugin: Plugin<O>,
  trial: TrialOptions<O>,
): Promise<Trial> {
  const { containerd, namespace = "default", args = [], options = {}, dryRun = false, signal } = trial;
  const { plans = false, access: { namespaces = "current", write = false } = {} } = plugin;
  const [log, failed]: [string[], unknown[]] = [[], []];
  const simulation = {
    change: (description: string) => void log.push(`Would ${description}`),
    end: (error: Error) => void failed.push(error),
  };
  const inner: Transport = dryRun && !plans
    ? simulated(guarded(containerd), simulation)
    : guarded(containerd);
  const policy = {
    namespaces: namespaces === "current" ? [namespace] : namespaces,
    write,
    dryRun: dryRun && plans,
  };
  const client = new Client(restricted(inner, policy)).namespace(namespace);
  const result = await plugin.run({
    client,
    args,
    options: { ...defaultsOf(plugin.options ?? {}), ...options } as OptionValues<O>,
    dryRun: dryRun && plans,
    log: { info: (message) => log.push(message), warn: (message) => log.push(message) },
    progress: () => {},
    failed: (error) => failed.push(error),
    signal: signal ?? new AbortController().signal,
  });
  return { rows: await rowsOf(result), log, failed };
}

/** Registers a test; `davit plugin test` runs it, as does `deno test`. */
export function test(name: string, body: () => void | Promise<void>): void {
  Deno.test(name, body);
}

function defaultsOf(options: Options): Record<string, unknown> {
  const defaults = Object.entries(options).map(([name, option]) => [name, defaultOf(option)]);
  return Object.fromEntries(defaults);
}

function defaultOf(option: Option): unknown {
  if (option.type === "boolean") return option.default ?? false;
  if (option.type === "list") return option.default ?? [];
  return "default" in option ? option.default : undefined;
}

async function rowsOf(result: unknown): Promise<unknown[]> {
  if (result === undefined) return [];
  const { [Symbol.asyncIterator]: asyncRows, [Symbol.iterator]: rows } = Object(result);
  if (typeof result === "string" || (asyncRows === undefined && rows === undefined)) return [result];
  return await Array.fromAsync(result as AsyncIterable<unknown> | Iterable<unknown>);
}
