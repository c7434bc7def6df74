import type { Log, Progress } from "../mod.ts";
import type { Failure } from "./errors.ts";
import { escapeControls, escapeControlsOfLines, escapeJsonControls } from "./escape.ts";
import type { Io } from "./io.ts";
import { ProgressDisplay, type ProgressForm } from "./progress.ts";

/** How a run speaks on stderr. */
export interface LogSettings {
  format: "text" | "json";
  progress?: ProgressForm;
  /** Shows traces, and where errors come from. */
  debug?: boolean;
}

const red = 31;
const yellow = 33;

/** Everything that goes to stderr: lines of text, or JSON objects of one line. */
export class StderrLog implements Log {
  readonly #settings: LogSettings;
  readonly #progress: ProgressDisplay;
  readonly #colour: boolean;

  constructor(io: Io, settings: LogSettings) {
    this.#settings = settings;
    this.#progress = new ProgressDisplay(io, settings.progress ?? "none");
    this.#colour = io.terminal?.colour ?? false;
  }

  info(message: string): void {
    this.#write({ level: "info", message }, escapeControls(message));
  }

  warn(message: string): void {
    this.#write(
      { level: "warn", message },
      `${this.#coloured("warning:", yellow)} ${escapeControls(message)}`,
    );
  }

  /** Something that `--debug` shows. */
  debug(message: string, facts: Readonly<Record<string, unknown>> = {}): void {
    if (this.#settings.debug) {
      this.#write({ level: "debug", message, ...facts }, `debug: ${escapeControls(message)}`);
    }
  }

  /** What went wrong, and what to do about it. */
  error(failure: Failure, cause?: unknown): void {
    const { message, hint } = failure;
    const lines = [`${this.#coloured("davit:", red)} ${escapeControls(message)}`];
    if (hint !== undefined) lines.push(`hint: ${escapeControls(hint)}`);
    const stack = this.#settings.debug && cause instanceof Error ? stackOf(cause) : undefined;
    if (stack !== undefined) lines.push(escapeControlsOfLines(stack));
    this.#write({ level: "error", ...failure, stack }, lines.join("\n"));
  }

  progress(state: Progress): void {
    this.#progress.show(state);
  }

  /** Takes the progress line away where it would be in the way of output. */
  makeWay(): void {
    this.#progress.makeWay();
  }

  /** Takes the progress line away. */
  end(): void {
    this.#progress.end();
  }

  #write(record: Readonly<Record<string, unknown>>, text: string): void {
    const line = this.#settings.format === "json" ? escapeJsonControls(JSON.stringify(record)) : text;
    this.#progress.aside(`${line}\n`);
  }

  #coloured(text: string, colour: number): string {
    return this.#colour ? `\x1b[${colour}m${text}\x1b[0m` : text;
  }
}

function stackOf(error: Error): string {
  const stack = error.stack ?? String(error);
  return error.cause instanceof Error ? `${stack}\nCaused by ${stackOf(error.cause)}` : stack;
}
