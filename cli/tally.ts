import { exitOfCode, type Failure, failureOf } from "./errors.ts";

/** Who is told of the items of a run. */
export interface TallyObserver {
  item(row: unknown): void;
  failure(failure: Failure): void;
}

/** Counts what became of the items of a run: the exit code follows. */
export class Tally {
  readonly #observer: TallyObserver | undefined;
  readonly #failures: Failure[] = [];
  readonly #messages = new Set<string>();
  #succeeded = 0;
  #found = false;
  #exit = 0;

  constructor(observer?: TallyObserver) {
    this.#observer = observer;
  }

  /** One item failed. Passes the failure on to `report`, unless it says the same as an earlier one. */
  failed(error: unknown, report: (failure: Failure) => void): void {
    const failure = failureOf(error);
    this.#failures.push(failure);
    this.#observer?.failure(failure);
    if (!this.#messages.has(failure.message)) report(failure);
    this.#messages.add(failure.message);
  }

  /** What was looked for is not right. */
  found(): void {
    this.#found = true;
  }

  /** What a process ended with. */
  exitWith(code: number): void {
    this.#exit = code;
  }

  get hasFailures(): boolean {
    return this.#failures.length > 0;
  }

  /** Passes results on and counts them; a row whose `status` is `"failed"` has been reported as a failure. */
  counted(result: unknown): unknown {
    if (typeof result !== "object" || result === null) return result;
    if (isIterable(result)) return this.#countedRows(result);
    this.#count(result);
    return result;
  }

  /** The exit code when nothing else decides. */
  get exit(): number {
    const [first] = this.#failures;
    if (first === undefined) return this.#found ? exitOfCode("found") : this.#exit;
    const isCommon = this.#failures.every(({ exit }) => exit === first.exit);
    return isCommon && this.#succeeded === 0 ? first.exit : exitOfCode("partial");
  }

  /** The closing word on several items of which some failed. */
  get summary(): Failure | undefined {
    const [first] = this.#failures;
    const failed = this.#failures.length;
    const all = failed + this.#succeeded;
    if (first === undefined || all === 1) return undefined;
    const { exit } = this;
    return {
      code: exit === first.exit ? first.code : "partial",
      message: `${failed} of ${all} failed`,
      exit,
    };
  }

  async *#countedRows(rows: Iterable<unknown> | AsyncIterable<unknown>): AsyncIterable<unknown> {
    for await (const row of rows) {
      this.#count(row);
      yield row;
    }
  }

  #count(row: unknown): void {
    this.#observer?.item(row);
    if ((row as { status?: unknown } | null)?.status !== "failed") this.#succeeded++;
  }
}

/** Whether a result is rows rather than one of them. */
export function isIterable(result: unknown): result is Iterable<unknown> | AsyncIterable<unknown> {
  return typeof result === "object" && result !== null &&
    (Symbol.asyncIterator in result || Symbol.iterator in result);
}
