/** The bytes between a process in a container and whoever started it or attached to it. */
import type { ProcessIo } from "../tasks.ts";
import { isFifo } from "./fifos.ts";
import { InputPipe, OutputPipe, type Sink } from "./pipe.ts";
import { Pause } from "./pause.ts";

/** What a process reads, and who gets what it writes. */
export interface ProcessStreams {
  /** Its end is the end of the process's input. */
  stdin?: ReadableStream<Uint8Array> | undefined;
  /** Resolves when there is room for more, so that a slow reader slows the process down. */
  stdout?: Sink | undefined;
  /** Like `stdout`; of a terminal nothing comes here. */
  stderr?: Sink | undefined;
}

/** The pipe of a process that has ended may still be in the hands of others; so long nobody has written to it then. */
const idleMs = 1_000;

interface NamedOutput {
  name: "stdout" | "stderr";
  pipe: OutputPipe;
}

/** The pipes of a process, open on our side. */
export class ProcessPipes implements Disposable {
  readonly #input: InputPipe | undefined;
  readonly #outputs: readonly NamedOutput[];

  private constructor(input: InputPipe | undefined, outputs: readonly NamedOutput[]) {
    this.#input = input;
    this.#outputs = outputs;
  }

  /** Opens what of the paths are named pipes, without waiting for the other side. */
  static async open({ stdin, stdout, stderr }: Omit<ProcessIo, "terminal">): Promise<ProcessPipes> {
    using stack = new DisposableStack();
    const input = await isFifo(stdin) ? stack.use(await InputPipe.open(stdin)) : undefined;
    const outputs: NamedOutput[] = [];
    for (const [name, path] of [["stdout", stdout], ["stderr", stderr]] as const) {
      if (await isFifo(path)) outputs.push({ name, pipe: stack.use(await OutputPipe.open(path)) });
    }
    stack.move();
    return new ProcessPipes(input, outputs);
  }

  /** Whether there is anything to read from. */
  get hasOutput(): boolean {
    return this.#outputs.length > 0;
  }

  /** The shim has its ends open: from here on each side learns of the other's end. */
  async handOver(): Promise<void> {
    for (const { pipe } of this.#outputs) pipe.handOver();
    await this.#input?.handOver();
  }

  /** Begins to copy; `endInput` is called when there is nothing more to give to the process. */
  copy(streams: ProcessStreams, endInput: () => Promise<void>): Copying {
    return new Copying({ input: this.#input, outputs: this.#outputs, streams, endInput });
  }

  [Symbol.dispose](): void {
    this.#input?.[Symbol.dispose]();
    for (const { pipe } of this.#outputs) pipe[Symbol.dispose]();
  }
}

/** Bytes on their way. */
export class Copying {
  readonly #outputs: readonly NamedOutput[];
  readonly #source: ReadableStreamDefaultReader<Uint8Array> | undefined;
  readonly #written: Promise<boolean>;
  readonly #failure = Promise.withResolvers<never>();

  constructor({ input, outputs, streams, endInput }: {
    input: InputPipe | undefined;
    outputs: readonly NamedOutput[];
    streams: ProcessStreams;
    endInput: () => Promise<void>;
  }) {
    this.#failure.promise.catch(() => {}); // whoever waits for it learns of it
    this.#outputs = outputs;
    this.#source = input && streams.stdin?.getReader();
    if (input && this.#source) input.copyFrom(this.#source).then(endInput).catch(this.#failure.reject);
    const copies = outputs.map(({ name, pipe }) =>
      pipe.copyTo(streams[name] ?? (() => Promise.resolve()), this.#failure.reject)
    );
    this.#written = Promise.all(copies).then(() => true);
    this.#written.catch(this.#failure.reject);
  }

  /** Rejects as soon as a sink fails, and never resolves. */
  get failure(): Promise<never> {
    return this.#failure.promise;
  }

  /**
   * Waits until all output is written. Once the process has ended, not for ever: one that it left in the background may
   * have its pipe.
   */
  async drained(): Promise<void> {
    this.#endInput();
    const began = Date.now();
    for (;;) {
      using pause = new Pause(100);
      if (await Promise.race([this.#written, pause.over])) return;
      const long = Date.now() - idleMs;
      if (began < long && this.#outputs.every(({ pipe }) => pipe.isIdleSince(long))) return;
    }
  }

  /** Reads on what the process writes, and gives it to nobody. */
  ignoreRest(): void {
    this.#endInput();
    for (const { pipe } of this.#outputs) pipe.ignoreRest();
  }

  /** Ends all copying at once. */
  stop(): void {
    this.#endInput();
    for (const { pipe } of this.#outputs) pipe.close();
  }

  #endInput(): void {
    this.#source?.cancel().catch(() => {});
  }
}
