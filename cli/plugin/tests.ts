/** Running the tests of plugins: in a worker like the plugin's own, on a containerd in memory. */
import { reportedFailure } from "./failure.ts";
import type { PluginFile } from "./file.ts";
import { ownCode, ownVariables } from "./own_code.ts";
import { readableBeside } from "./readable.ts";
import type { FromTests, TestStart } from "./test_worker.ts";

/** What became of one test. */
export interface TestResult {
  test: string;
  status: "passed" | "broken";
  durationMs: number;
  /** What it said, with the place in the plugin's folder. */
  problem?: string;
  error?: Error;
}

/** Runs the tests of a file, in their order. Throws when the file does not load, or fails outside of a test. */
export async function* runTests(
  file: PluginFile,
  { filter, signal }: { filter: string; signal: AbortSignal },
): AsyncIterable<TestResult> {
  const nothing = { ffi: false, import: false, net: false, run: false, sys: false, write: false };
  const read = [...readableBeside(file), ...ownCode()];
  const worker = new Worker(import.meta.resolve("davit/plugin-test-worker"), {
    type: "module",
    deno: { permissions: { ...nothing, env: [...ownVariables], read } },
  });
  const messages: FromTests[] = [];
  let arrival = Promise.withResolvers<void>();
  worker.onmessage = ({ data }: MessageEvent<FromTests>) => {
    messages.push(data);
    arrival.resolve();
  };
  worker.onerror = (event) => {
    event.preventDefault();
    messages.push({ type: "failed", error: { name: "Error", message: event.message } });
    arrival.resolve();
  };
  const abort = () => arrival.reject(signal.reason);
  signal.addEventListener("abort", abort);
  try {
    worker.postMessage({ file: file.url, filter } satisfies TestStart);
    for (;;) {
      signal.throwIfAborted();
      const message = messages.shift();
      if (message === undefined) {
        await arrival.promise;
        arrival = Promise.withResolvers();
        continue;
      }
      if (message.type === "done") return;
      if (message.type === "failed") throw reportedFailure(message.error, { file, stage: "load" });
      yield resultOf(message, file);
    }
  } finally {
    signal.removeEventListener("abort", abort);
    worker.terminate();
  }
}

function resultOf(
  { name, durationMs, error }: Extract<FromTests, { type: "test" }>,
  file: PluginFile,
): TestResult {
  if (error === undefined) return { test: name, status: "passed", durationMs };
  const failure = reportedFailure(error, { file, stage: "test" });
  const problem = failure.message.replace(/^Cannot test plugin "[^"]*": /, "");
  return { test: name, status: "broken", durationMs, problem, error: failure };
}
