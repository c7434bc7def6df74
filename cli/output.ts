import { CliError } from "./errors.ts";
import type { Io } from "./io.ts";

/** How many characters are gathered before they are written. */
const limit = 64 * 1024;

/** Nobody reads the output any more: the run ends, and that is no error. */
export class OutputClosed extends Error {
  override name = "OutputClosed";
}

/** Texts on their way to stdout: few writes when many come at once, no delay when they trickle. */
export class Output {
  readonly #io: Io;
  readonly #encoder = new TextEncoder();
  #text = "";
  #timer: ReturnType<typeof setTimeout> | undefined;
  #written: Promise<void> = Promise.resolve();

  constructor(io: Io) {
    this.#io = io;
  }

  /** @throws {OutputClosed} when the reader is gone. */
  async write(text: string): Promise<void> {
    this.#text += text;
    if (this.#text.length >= limit) return await this.flush();
    // A failure comes up again in the next write.
    this.#timer ??= setTimeout(() => this.flush().catch(() => {}), 0);
  }

  /** Resolves when everything is written. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#text !== "") {
      const bytes = this.#encoder.encode(this.#text);
      this.#text = "";
      this.#written = this.#written.then(() => this.#put(bytes));
    }
    await this.#written;
  }

  async #put(bytes: Uint8Array): Promise<void> {
    try {
      await this.#io.writeOut(bytes);
    } catch (cause) {
      if (cause instanceof Deno.errors.BrokenPipe) throw new OutputClosed("The output was closed", { cause });
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new CliError(`Cannot write the output: ${reason}`, { code: "unexpected", cause });
    }
  }
}
