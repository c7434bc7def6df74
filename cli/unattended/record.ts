import { methodsByName, type TracedCall } from "../../lib/host.ts";
import type { Failure } from "../errors.ts";

/** What is written down of a run that nobody watches, as one JSON object. */
export interface RunRecord {
  id: string;
  /** The lock's name, or else the verb. */
  job: string;
  /** Noun and verb, or the plugin. */
  verb: string;
  /** What was given to davit. */
  arguments: readonly string[];
  version: string;
  /** RFC 3339. */
  startedAt: string;
  endedAt: string;
  durationMs: number;
  /** How often it was tried. */
  attempts: number;
  exit: number;
  /** The rows that `-o json` shows, of the last attempt. */
  items: readonly unknown[];
  /** How many items there are of each status; of those without one, `"ok"`. */
  counts: Readonly<Record<string, number>>;
  failures: readonly Failure[];
  /** Calls to containerd, of all attempts, and the bytes of their messages. */
  calls: { number: number; sentBytes: number; receivedBytes: number };
}

/** Collects what a {@linkcode RunRecord} tells while a run goes on. */
export class Recorder {
  readonly #startedAt = new Date();
  readonly #began = performance.now();
  readonly #calls = { number: 0, sentBytes: 0, receivedBytes: 0 };
  #attempts = 0;
  #items: unknown[] = [];
  #failures: Failure[] = [];
  #hasWritten = false;

  /** Begins an attempt, for which nothing counts that came before. */
  begin(): void {
    this.#attempts++;
    this.#items = [];
    this.#failures = [];
    this.#hasWritten = false;
  }

  /** Whether the attempt has sent anything that changes something. */
  get hasWritten(): boolean {
    return this.#hasWritten;
  }

  /** The failures of the attempt. */
  get failures(): readonly Failure[] {
    return this.#failures;
  }

  item(row: unknown): void {
    this.#items.push(row);
  }

  failure(failure: Failure): void {
    this.#failures.push(failure);
  }

  call({ method, sentBytes, receivedBytes }: TracedCall): void {
    this.#hasWritten ||= methodsByName.get(method)?.writes !== undefined;
    this.#calls.number++;
    this.#calls.sentBytes += sentBytes;
    this.#calls.receivedBytes += receivedBytes;
  }

  finish({ exit, ...facts }: Pick<RunRecord, "job" | "verb" | "arguments" | "version" | "exit">): RunRecord {
    return {
      id: crypto.randomUUID(),
      ...facts,
      startedAt: this.#startedAt.toISOString(),
      endedAt: new Date().toISOString(),
      durationMs: Math.round(performance.now() - this.#began), // the clock may be set meanwhile
      attempts: this.#attempts,
      exit,
      items: this.#items,
      counts: countsOf(this.#items),
      failures: this.#failures,
      calls: this.#calls,
    };
  }
}

function countsOf(items: readonly unknown[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) {
    const { status } = Object(item);
    const name = typeof status === "string" ? status : "ok";
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
