import { CliError } from "./errors.ts";
import type { Io } from "./io.ts";

/** How many characters wait at most while others are being written. */
const limit = 64 * 1024;

/** Nobody reads the output any more: the run ends, and that is no error. */
export class OutputClosed extends Error {
  override name = "OutputClosed";
}

/** What is on its way to stdout. Texts: few writes when many come at once, no delay when they trickle. */
export class Output {
  readonly #io: Io;
  readonly #beforeWrite: () => void;
  readonly #encoder = new TextEncoder();
  #waiting = "";
  #writing: Promise<void> | undefined;
  #failure: { error: unknown } | undefined;

  /** `beforeWrite` is called before each write. */
  constructor(io: Io, beforeWrite: () => void = () => {}) {
    this.#io = io;
    this.#beforeWrite = beforeWrite;
  }

  /**
   * Resolves when there is room for more.
   *
   * @throws {OutputClosed} when the reader is gone.
   */
  async write(text: string): Promise<void> {
    this.#waiting += text;
    this.#writing ??= this.#writeAll();
    if (this.#waiting.length >= limit) await this.#writing;
    this.#throwFailure();
  }

  /** Resolves when everything is written. */
  async flush(): Promise<void> {
    await this.#writing;
    this.#throwFailure();
  }

  /**
   * Writes bytes as they are, behind the texts before them; the next piece is asked for when one is taken.
   *
   * @throws {OutputClosed} when the reader is gone.
   */
  async pour(pieces: AsyncIterable<Uint8Array>): Promise<void> {
    await this.flush();
    for await (const piece of pieces) {
      this.#beforeWrite();
      await this.#io.writeOut(piece).catch((cause) => {
        throw failureFor(cause);
      });
    }
  }

  /** What comes while a write is under way goes with the next one. No timers: the first one costs 5 ms. */
  async #writeAll(): Promise<void> {
    await undefined; // so that the caller has set #writing before it is unset
    try {
      while (this.#waiting !== "") {
        const bytes = this.#encoder.encode(this.#waiting);
        this.#waiting = "";
        this.#beforeWrite();
        await this.#io.writeOut(bytes);
      }
    } catch (cause) {
      this.#failure = { error: failureFor(cause) };
    }
    this.#writing = undefined;
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure.error;
  }
}

function failureFor(cause: unknown): Error {
  if (cause instanceof Deno.errors.BrokenPipe) return new OutputClosed("The output was closed", { cause });
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CliError(`Cannot write the output: ${reason}`, { code: "unexpected", cause });
}
