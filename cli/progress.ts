import type { Progress } from "../mod.ts";
import { escapeControls } from "./escape.ts";
import type { Io } from "./io.ts";

/** How progress is shown: one line rewritten on a terminal, a line now and then, a JSON object now and then. */
export type ProgressForm = "tty" | "plain" | "json" | "none";

const intervalsMs: Readonly<Record<ProgressForm, number>> = {
  tty: 100,
  plain: 1_000,
  json: 1_000,
  none: Infinity,
};

/** Clears the line that the cursor is in, from its start. */
const clearLine = "\r\x1b[K";

/** Shows on stderr how far the work is. */
export class ProgressDisplay {
  readonly #io: Io;
  readonly #form: ProgressForm;
  #shown: Progress | undefined;
  #shownAt = -Infinity;

  constructor(io: Io, form: ProgressForm) {
    this.#io = io;
    this.#form = form;
  }

  /** Shows a state, unless the last one was shown a moment ago; the end of a task is always shown. */
  show(state: Progress): void {
    if (this.#form === "none") return;
    const now = performance.now();
    const isNews = state.task !== this.#shown?.task || state.done === state.total;
    if (!isNews && now - this.#shownAt < intervalsMs[this.#form]) return;
    this.#shown = state;
    this.#shownAt = now;
    this.#draw(state);
  }

  /** Writes text where the line was, and the line again below. */
  aside(text: string): void {
    const shown = this.#form === "tty" ? this.#shown : undefined;
    this.#io.writeError(shown === undefined ? text : clearLine + text);
    if (shown !== undefined) this.#draw(shown);
  }

  /** Takes the line away where output is about to be written over it. */
  makeWay(): void {
    if (this.#io.terminal?.showsOutput) this.end();
  }

  /** Leaves the terminal as it was. */
  end(): void {
    if (this.#form === "tty" && this.#shown !== undefined) this.#io.writeError(clearLine);
    this.#shown = undefined;
  }

  #draw({ task, done, total }: Progress): void {
    if (this.#form === "json") {
      return this.#io.writeError(`${JSON.stringify({ level: "progress", task, done, total })}\n`);
    }
    const line = escapeControls(`${task}: ${done}${total === undefined ? "" : ` of ${total}`}`);
    if (this.#form === "plain") return this.#io.writeError(`${line}\n`);
    const columns = this.#io.terminal?.columns ?? 80;
    this.#io.writeError(`${clearLine}${line.slice(0, columns - 1)}`);
  }
}
