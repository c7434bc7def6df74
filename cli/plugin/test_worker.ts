/** The entry of the worker that the tests of a plugin run in: it may read their folder and nothing else. */
import "davit";
import "davit/testing";
import type { ErrorReport } from "./messages.ts";

/** What the host sends. */
export interface TestStart {
  /** URL of the file. */
  file: string;
  /** Only tests whose name has this in it. */
  filter: string;
}

/** What it is told. */
export type FromTests =
  | { type: "test"; name: string; durationMs: number; error?: ErrorReport }
  | { type: "failed"; error: ErrorReport }
  | { type: "done" };

interface Registered {
  name: string;
  body: (context: unknown) => unknown;
}

const tests: Registered[] = [];

addEventListener("message", (event) => run((event as MessageEvent<TestStart>).data), { once: true });

async function run({ file, filter }: TestStart): Promise<void> {
  Object.assign(Deno, { test: register });
  for (const type of ["error", "unhandledrejection"]) {
    addEventListener(type, (event) => {
      event.preventDefault();
      const { error, reason } = event as ErrorEvent & PromiseRejectionEvent;
      tell({ type: "failed", error: reportOf(error ?? reason) });
    });
  }
  try {
    await import(file);
    for (const { name, body } of tests) if (name.includes(filter)) await runOne(name, body);
    tell({ type: "done" });
  } catch (error) {
    tell({ type: "failed", error: reportOf(error) });
  }
}

async function runOne(name: string, body: Registered["body"]): Promise<void> {
  const began = performance.now();
  const ended = () => ({ type: "test" as const, name, durationMs: Math.round(performance.now() - began) });
  try {
    await body({ name, step: (_: string, step: () => unknown) => step() });
    tell(ended());
  } catch (error) {
    tell({ ...ended(), error: reportOf(error) });
  }
}

/** `Deno.test` in its forms. */
function register(...[first, second]: unknown[]): void {
  if (typeof first === "function") {
    tests.push({ name: first.name, body: first as Registered["body"] });
  } else if (typeof first === "string") {
    tests.push({ name: first, body: second as Registered["body"] });
  } else {
    const { name, fn, ignore } = first as { name: string; fn: Registered["body"]; ignore?: boolean };
    if (!ignore) tests.push({ name, body: fn });
  }
}

function reportOf(error: unknown): ErrorReport {
  if (!(error instanceof Error)) return { name: "Error", message: String(error) };
  return { name: error.name, message: error.message, stack: error.stack };
}

function tell(message: FromTests): void {
  (self as unknown as { postMessage(message: FromTests): void }).postMessage(message);
}
