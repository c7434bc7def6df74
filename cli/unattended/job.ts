/** Runs that nobody watches: one at a time, tried again, written down. */
import { type Failure, failureOf } from "../errors.ts";
import type { Globals } from "../globals.ts";
import type { Io } from "../io.ts";
import { toJson } from "../json.ts";
import type { StderrLog } from "../log.ts";
import { OutputClosed } from "../output.ts";
import { writeFile } from "../output_file.ts";
import { version } from "../version.ts";
import { Lock } from "./lock.ts";
import { metricsOf } from "./metrics.ts";
import { Recorder } from "./record.ts";

/** What is told of an attempt while it goes on. */
export type Observer = Pick<Recorder, "item" | "failure" | "call">;

/** How one attempt of a job goes. */
export interface Attempt {
  observer: Observer;
  /** What the run may take, in milliseconds; 0 is no limit. */
  timeoutMs: number | undefined;
  /** Its rows are shown at once; otherwise only when it did not fail, since another attempt would show them again. */
  isLast: boolean;
}

/** A run as a job. */
export interface Job {
  globals: Globals;
  /** Noun and verb, or the plugin. */
  verb: string;
  /** What was given to davit. */
  argv: readonly string[];
  io: Io;
  log: StderrLog;
  signal: AbortSignal | undefined;
  /** It may be tried again even after it has written something. */
  repeatable: boolean;
  /** Does the work once; resolves to the exit code. */
  attempt(settings: Attempt): Promise<number>;
}

/** How long to wait for the second attempt, in milliseconds; each time twice as long, up to the longest. */
const firstPauseMs = 1_000;
const longestPauseMs = 60_000;

/** What may go better a moment later. */
const passing: ReadonlySet<string> = new Set([
  "unavailable",
  "deadline_exceeded",
  "resource_exhausted",
  "unknown",
]);

/**
 * Runs a job under its lock and writes its record; resolves to the exit code.
 *
 * @throws {CliError} `locked` when another run holds the lock; that writes no record over the one of the other.
 */
export async function runJob(job: Job): Promise<number> {
  const { globals: { lock, report, metrics }, verb, argv, io, log } = job;
  using _held = lock === undefined ? undefined : await Lock.acquire(lock, io);
  const recorder = new Recorder();
  const exit = await tried(job, recorder);
  const record = recorder.finish({ job: lock ?? verb, verb, arguments: argv, version, exit });
  let isWritten = true;
  const write = async (path: string, textOf: () => Promise<string>) => {
    try {
      await writeFile(path, ReadableStream.from([new TextEncoder().encode(await textOf())]));
    } catch (error) {
      isWritten = false;
      log.error(failureOf(error), error);
    }
  };
  if (report !== undefined) await write(report, () => Promise.resolve(`${toJson(record)}\n`));
  if (metrics !== undefined) await write(metrics, async () => metricsOf(record, await textOf(metrics)));
  return isWritten || exit !== 0 ? exit : 1;
}

/** Tries until it goes well, fails for good, or was tried often enough. */
async function tried(job: Job, recorder: Recorder): Promise<number> {
  const { globals: { retries, timeout }, log, signal } = job;
  const began = performance.now();
  for (let attempt = 0;; attempt++) {
    recorder.begin();
    const isLast = attempt === retries;
    const left = timeout === undefined || timeout === 0
      ? timeout
      : Math.round(timeout - (performance.now() - began));
    const { exit, failures } = await tryOnce(job, { recorder, isLast, timeoutMs: left });
    const isSafe = job.repeatable || !recorder.hasWritten;
    const mayPass = isSafe && failures.length > 0 && failures.every(({ code }) => passing.has(code));
    const pauseMs = Math.min(firstPauseMs * 2 ** attempt, longestPauseMs) * (0.5 + Math.random() / 2);
    const hasTime = left === undefined || left === 0 || performance.now() - began + pauseMs < timeout!;
    if (exit === 0 || isLast || !mayPass || !hasTime || signal?.aborted) return exit;
    log.warn(
      `Attempt ${attempt + 1} of ${retries + 1} failed; the next one is in ${(pauseMs / 1000).toFixed(1)} s`,
    );
    await pause(pauseMs, signal);
  }
}

async function tryOnce(
  job: Job,
  { recorder, isLast, timeoutMs }: { recorder: Recorder; isLast: boolean; timeoutMs: number | undefined },
): Promise<{ exit: number; failures: readonly Failure[] }> {
  try {
    const exit = await job.attempt({ observer: recorder, isLast, timeoutMs });
    return { exit, failures: recorder.failures };
  } catch (error) {
    if (error instanceof OutputClosed) return { exit: 0, failures: [] };
    const failure = failureOf(error);
    recorder.failure(failure);
    job.log.error(failure, error);
    return { exit: failure.exit, failures: recorder.failures };
  }
}

/** Waits, but not for longer than the run may go on. */
async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  signal?.addEventListener("abort", () => resolve(), { once: true });
  await promise;
  clearTimeout(timer);
}

async function textOf(path: string): Promise<string | undefined> {
  return await Deno.readTextFile(path).catch(() => undefined); // the first run finds none
}
