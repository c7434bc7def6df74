/** One end of a named pipe whose other end is in the hands of a container's shim. */

/** Takes bytes, and resolves when it has room for more. */
export type Sink = (bytes: Uint8Array) => Promise<void>;

const chunkBytes = 64 * 1024;

/**
 * The end of a pipe that we read. Opening it does not wait: until {@linkcode OutputPipe.handOver}, it is open for
 * writing, too, so that neither the shim nor we find nobody at the other end.
 */
export class OutputPipe implements Disposable {
  readonly #reader: Deno.FsFile;
  readonly #keeper: Deno.FsFile;
  #isWriting = false;
  #isClosed = false;
  #ignores = false;
  #lastRead = 0;

  private constructor(reader: Deno.FsFile, keeper: Deno.FsFile) {
    this.#reader = reader;
    this.#keeper = keeper;
  }

  static async open(path: string): Promise<OutputPipe> {
    const keeper = await Deno.open(path, { read: true, write: true });
    try {
      return new OutputPipe(await Deno.open(path, { read: true }), keeper);
    } catch (error) {
      keeper.close();
      throw error;
    }
  }

  /** The shim has its end open: when it closes that, the output ends. */
  handOver(): void {
    this.#keeper.close();
  }

  /**
   * Reads to the end. When the sink fails, `onFailure` learns of it and the rest is read all the same, or the process
   * would be stuck.
   */
  async copyTo(sink: Sink, onFailure: (error: unknown) => void): Promise<void> {
    const buffer = new Uint8Array(chunkBytes);
    for (;;) {
      const length = await this.#read(buffer);
      if (length === null) break;
      this.#lastRead = Date.now();
      if (this.#ignores) continue;
      this.#isWriting = true;
      try {
        await sink(buffer.slice(0, length)); // a copy, since sinks may keep what they get
      } catch (error) {
        this.#ignores = true;
        onFailure(error);
      }
      this.#isWriting = false;
    }
    this.close();
  }

  /** Whatever comes from here on is for nobody. */
  ignoreRest(): void {
    this.#ignores = true;
  }

  /** Whether nothing has come since an instant, in milliseconds, and nothing is on its way to the sink. */
  isIdleSince(instant: number): boolean {
    return !this.#isWriting && this.#lastRead < instant;
  }

  /** Ends {@linkcode OutputPipe.copyTo}, whatever may still come. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#reader.close();
  }

  [Symbol.dispose](): void {
    closeQuietly(this.#keeper);
    this.close();
  }

  async #read(buffer: Uint8Array): Promise<number | null> {
    try {
      return await this.#reader.read(buffer);
    } catch (error) {
      if (this.#isClosed) return null;
      throw error;
    }
  }
}

/** The end of a pipe that we write; see {@linkcode OutputPipe}. */
export class InputPipe implements Disposable {
  readonly #path: string;
  readonly #keeper: Deno.FsFile;
  #writer: Deno.FsFile | undefined;

  private constructor(path: string, keeper: Deno.FsFile) {
    this.#path = path;
    this.#keeper = keeper;
  }

  static async open(path: string): Promise<InputPipe> {
    return new InputPipe(path, await Deno.open(path, { read: true, write: true }));
  }

  /** The shim has its end open: when it closes that, writing fails instead of waiting for ever. */
  async handOver(): Promise<void> {
    this.#writer = await Deno.open(this.#path, { write: true });
    this.#keeper.close();
  }

  /** Writes all bytes, until there are no more or nobody is left to read them. */
  async copyFrom(source: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await source.read();
        if (done) break;
        for (let rest = value; rest.length > 0;) rest = rest.subarray(await this.#writer!.write(rest));
      }
    } catch {
      // A source that fails has nothing more to give, and a pipe that does has nobody to give it to.
    }
    closeQuietly(this.#writer);
  }

  [Symbol.dispose](): void {
    closeQuietly(this.#keeper);
    closeQuietly(this.#writer);
  }
}

function closeQuietly(file: Deno.FsFile | undefined): void {
  try {
    file?.close();
  } catch {
    // It was closed already.
  }
}
