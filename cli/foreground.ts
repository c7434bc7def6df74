/** Streams, terminal and signals of whoever waits for a process in a container. */
export interface Foreground {
  stdin(): ReadableStream<Uint8Array>;
  /**
   * Resolves when the bytes are taken, so that a slow reader slows the run down.
   *
   * @throws {Deno.errors.BrokenPipe} when the reader is gone.
   */
  writeOut(bytes: Uint8Array): Promise<void>;
  /** The same to stderr. */
  writeErrorBytes(bytes: Uint8Array): Promise<void>;
  /** Every key that is typed comes as it is, until it is disposed; `undefined` when stdin is no terminal. */
  rawTerminal(): RawTerminal | undefined;
  /** Every signal goes to the listener instead of ending the run, until it is disposed. */
  forwardSignals(listener: (signal: string) => void): Disposable;
}

/** A terminal that no longer acts on what is typed. */
export interface RawTerminal extends Disposable {
  readonly size: { columns: number; rows: number };
  /** Called whenever the size changes. */
  onResize(listener: () => void): void;
}
