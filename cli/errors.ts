import type { ErrorCode, ErrorDetails } from "../mod.ts";
import { registryHint } from "./registry_hints.ts";

/** What can go wrong on this side of the connection; containerd's own codes are beside it. */
export type CliErrorCode =
  | "usage"
  | "partial"
  | "found"
  | "plugin"
  | "locked"
  | "interrupted"
  | "unexpected"
  | "cannot_execute"
  | "command_not_found";

/** One row of the exit table: what a run ended with. */
export interface Outcome {
  exit: number;
  /** In words, for the documentation. */
  when: string;
  codes: readonly (ErrorCode | CliErrorCode)[];
}

/** Every exit code that davit chooses itself, and each code in one row. */
export const outcomes: readonly Outcome[] = [
  { exit: 0, when: "ok; also a list that is empty", codes: [] },
  {
    exit: 1,
    when: "unexpected; damaged content; the outcome is unknown",
    codes: ["unexpected", "unknown", "internal", "cancelled", "resource_exhausted", "data_loss"],
  },
  { exit: 2, when: "usage, invalid argument", codes: ["usage", "invalid_argument", "out_of_range"] },
  {
    exit: 3,
    when: "some of several failed (all for one cause: the code of that cause); a check found something",
    codes: ["partial", "found"],
  },
  { exit: 4, when: "not found", codes: ["not_found"] },
  {
    exit: 5,
    when: "already exists, failed precondition, conflict",
    codes: ["already_exists", "failed_precondition", "aborted"],
  },
  { exit: 6, when: "permission denied", codes: ["permission_denied", "unauthenticated"] },
  { exit: 7, when: "containerd is unreachable", codes: ["unavailable"] },
  { exit: 8, when: "the time ran out", codes: ["deadline_exceeded"] },
  { exit: 9, when: "this containerd does not implement it", codes: ["unimplemented"] },
  { exit: 10, when: "a plugin did not load, or threw", codes: ["plugin"] },
  { exit: 11, when: "another run holds the lock", codes: ["locked"] },
  {
    exit: 125,
    when: "run, exec, attach, start and wait, which end as the process does: all of the above",
    codes: [],
  },
  { exit: 126, when: "the same: the command cannot be executed", codes: ["cannot_execute"] },
  { exit: 127, when: "the same: there is no such command", codes: ["command_not_found"] },
  { exit: 130, when: "interrupted (SIGINT); 143: terminated (SIGTERM)", codes: ["interrupted"] },
];

/** An error of davit itself rather than of containerd. */
export class CliError extends Error {
  override name = "CliError";
  readonly code: CliErrorCode | ErrorCode;
  /** What to do about it, for a line of its own. */
  readonly hint: string | undefined;

  constructor(
    message: string,
    { code, hint, cause }: ErrorOptions & { code: CliErrorCode | ErrorCode; hint?: string | undefined },
  ) {
    super(message, { cause });
    this.code = code;
    this.hint = hint;
  }
}

/** The command line is wrong. */
export class UsageError extends CliError {
  override name = "UsageError";

  constructor(message: string, hint?: string) {
    super(message, { code: "usage", hint });
  }
}

/** The reason with which a signal aborts a run. */
export class Interrupted extends CliError {
  override name = "Interrupted";
  readonly exit: number;

  constructor(signal: "SIGINT" | "SIGTERM") {
    super(signal === "SIGINT" ? "Interrupted" : "Terminated", { code: "interrupted" });
    this.exit = signal === "SIGINT" ? 130 : 143;
  }
}

/** What a run tells about an error on stderr, as JSON in these words. */
export interface Failure {
  code: string;
  message: string;
  hint?: string;
  exit: number;
}

const debugHint = "--debug shows where it comes from";

/** The one place that judges errors. */
export function failureOf(error: unknown): Failure {
  const message = error instanceof Error ? error.message || error.name : String(error);
  const code = codeOf(error);
  const hint = error instanceof CliError
    ? error.hint
    : registryHint(error) ?? filterHint(message) ?? (code === "unexpected" ? debugHint : undefined);
  return { code, message, ...(hint !== undefined && { hint }), exit: exitOf(error, code) };
}

function filterHint(message: string): string | undefined {
  return message.includes("filters: parse error")
    ? `in a filter, texts with more than letters, digits and _ stand in double quotes: 'name=="example.com/app:1"'`
    : undefined;
}

/** The same failure of a verb that ends with the exit code of a process, which must be told from davit's own. */
export function besideProcess(failure: Failure): Failure {
  return failure.exit > 125 ? failure : { ...failure, exit: 125 };
}

/** The exit code for an error code. */
export function exitOfCode(code: string): number {
  return outcomes.find(({ codes }) => (codes as readonly string[]).includes(code))?.exit ?? 1;
}

function exitOf(error: unknown, code: string): number {
  if (error instanceof Interrupted) return error.exit;
  // Reading the state tells what happened; until then nobody knows.
  if (isContainerdError(error) && error.code === "unavailable" && error.outcome === "unknown") return 1;
  return exitOfCode(code);
}

function codeOf(error: unknown): string {
  if (error instanceof CliError || isContainerdError(error)) return error.code;
  if (error instanceof SyntaxError || error instanceof RangeError) return "invalid_argument";
  if (error instanceof Deno.errors.NotFound) return "not_found";
  if (error instanceof Deno.errors.AlreadyExists) return "already_exists";
  if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) {
    return "permission_denied";
  }
  return "unexpected";
}

/** By its shape: its class would load the client, which a wrong command line does not need. */
function isContainerdError(error: unknown): error is Error & ErrorDetails {
  return error instanceof Error && "outcome" in error && "code" in error;
}
