import type { ItemProgress, Progress } from "../mod.ts";
import { escapeControls, escapeJsonControls } from "./escape.ts";
import { formatBytes } from "./format.ts";
import type { Io } from "./io.ts";
import { cut, isOver, treeLines } from "./progress_tree.ts";

/** How progress is shown: a tree that is drawn over and over on a terminal, a line now and then, a JSON object now and then. */
export type ProgressForm = "tty" | "plain" | "json" | "none";

/** How much time passes at least between two times that it is shown. */
const intervalsMs: Readonly<Record<ProgressForm, number>> = {
  tty: 100,
  plain: 3_000,
  json: 1_000,
  none: Infinity,
};

/** How long a drawing stands at most: the seconds go on where nothing else does. */
const staleMs = 1_000;

/** Items that are kept; no image has so many, and a plugin may say anything. */
const maxItems = 10_000;

const fallbackRows = 24;

/** Shows on stderr how far the work is. */
export class ProgressDisplay {
  readonly #io: Io;
  readonly #form: ProgressForm;
  readonly #items = new Map<string, ItemProgress>();
  #state: Progress | undefined;
  #startedAt = 0;
  #shownAt = -Infinity;
  /** Keys of what has changed since it was last shown. */
  readonly #changed = new Set<string>();
  #isShown = true;
  /** Widths of the lines that stand on the terminal, the cursor below them. */
  #drawn: number[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(io: Io, form: ProgressForm) {
    this.#io = io;
    this.#form = form;
  }

  /** Takes a new state; it is shown at once when a task begins or ends, and else when its time has come. */
  show(state: Progress): void {
    if (this.#form === "none") return;
    const isNew = state.task !== this.#state?.task;
    if (isNew) this.#begin();
    this.#state = state;
    for (const item of state.items ?? []) this.#keep(item);
    this.#isShown = false;
    if (isNew || (state.done === state.total && this.#isOver) || this.#isDue) this.#show();
  }

  /** Writes text above what is drawn. */
  aside(text: string): void {
    if (this.#drawn.length === 0) return this.#io.writeError(text);
    this.#erase(text);
    this.#draw();
  }

  /** Clears the place where output is about to be written; what goes on is drawn again below it. */
  makeWay(): void {
    if (!this.#io.terminal?.showsOutput || this.#drawn.length === 0) return;
    if (this.#isWhole) this.end();
    else this.#erase();
  }

  /** Leaves the terminal as it was, and on it what is over. */
  end(): void {
    if (this.#timer !== undefined) clearInterval(this.#timer); // a first call of it costs 5 ms
    this.#timer = undefined;
    if (this.#isWhole) this.#settle();
    else if (this.#drawn.length > 0) this.#erase();
    this.#state = undefined;
  }

  get #isOver(): boolean {
    return this.#items.values().every(isOver);
  }

  /** A tree stands there in which all is over. */
  get #isWhole(): boolean {
    return this.#drawn.length > 0 && this.#items.size > 0 && this.#isOver;
  }

  get #isDue(): boolean {
    return performance.now() - this.#shownAt >= intervalsMs[this.#form];
  }

  #begin(): void {
    if (this.#isWhole) this.#settle();
    this.#items.clear();
    this.#changed.clear();
    this.#startedAt = performance.now();
    if (this.#form !== "tty" || this.#timer !== undefined) return;
    this.#timer = setInterval(() => {
      if (!this.#isShown || performance.now() - this.#shownAt >= staleMs) this.#show();
    }, intervalsMs.tty);
    Deno.unrefTimer(this.#timer);
  }

  /** Leaves what is drawn where it is. */
  #settle(): void {
    this.#draw();
    this.#drawn = [];
  }

  #keep(item: ItemProgress): void {
    const key = `${item.image}\n${item.name}`;
    if (this.#items.size >= maxItems && !this.#items.has(key)) return;
    this.#items.set(key, item);
    this.#changed.add(key);
  }

  #show(): void {
    this.#shownAt = performance.now();
    this.#isShown = true;
    if (this.#form === "tty") this.#draw();
    else if (this.#form === "json") this.#io.writeError(this.#record());
    else this.#io.writeError(`${escapeControls(this.#line())}\n`);
    this.#changed.clear();
  }

  #draw(): void {
    const { terminal } = this.#io;
    const { columns = 80, rows = fallbackRows, colour = false } = terminal ?? {};
    const lines = this.#items.size === 0 ? [cut(escapeControls(this.#line()), columns - 1)] : treeLines({
      state: this.#state!,
      items: this.#items.values(),
      elapsedMs: performance.now() - this.#startedAt,
    }, { columns, rows, colour });
    // One write, so that no half of it is ever seen.
    this.#io.writeError(`${this.#up()}${lines.map((line) => `${line}\x1b[K\n`).join("")}\x1b[J`);
    // deno-lint-ignore no-control-regex
    this.#drawn = lines.map((line) => line.replace(/\x1b\[\d*m/g, "").length);
  }

  /** Takes the drawing away, and writes text in its place. */
  #erase(text = ""): void {
    this.#io.writeError(`${this.#up()}\x1b[J${text}`);
    this.#drawn = [];
  }

  /** Moves the cursor to the start of the drawing; a terminal that was made narrower has broken its lines. */
  #up(): string {
    const { columns = 80 } = this.#io.terminal ?? {};
    const height = this.#drawn.reduce((sum, width) => sum + Math.max(Math.ceil(width / columns), 1), 0);
    return height === 0 ? "" : `\r\x1b[${height}A`; // Ctrl-C shows where the cursor was
  }

  #line(): string {
    const { task, done, total, unit } = this.#state!;
    const amount = (value: number) => unit === "bytes" ? formatBytes(value) : String(value);
    const line = `${task}: ${amount(done)}${total === undefined ? "" : ` of ${amount(total)}`}`;
    if (this.#items.size === 0) return line;
    const over = this.#items.values().filter(isOver).toArray().length;
    return `${line}, ${over} of ${this.#items.size} items`;
  }

  #record(): string {
    const { task, done, total, unit } = this.#state!;
    const items = this.#items.size === 0 ? undefined : [...this.#changed].map((key) => this.#items.get(key)!);
    return `${escapeJsonControls(JSON.stringify({ level: "progress", task, done, total, unit, items }))}\n`;
  }
}
