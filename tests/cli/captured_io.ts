import type { Io, Terminal } from "../../cli/io.ts";

/** Streams in memory: what a run wrote, and an environment of its own. */
export class CapturedIo implements Io {
  readonly terminal: Terminal | undefined;
  readonly outputIsTerminal: boolean;
  stdout = "";
  stderr = "";
  /** What is typed when something is asked; without, nobody is there to answer. */
  answer: string | undefined;
  readonly #env: Readonly<Record<string, string>>;
  readonly #decoder = new TextDecoder();
  readonly #errorDecoder = new TextDecoder();

  readonly #input: string;

  constructor(
    { env = {}, terminal, input = "" }: {
      env?: Record<string, string>;
      terminal?: Terminal;
      input?: string;
    } = {},
  ) {
    this.#input = input;
    this.#env = env;
    this.terminal = terminal;
    this.outputIsTerminal = terminal?.showsOutput ?? false;
  }

  stdin(): ReadableStream<Uint8Array> {
    return ReadableStream.from(this.#input === "" ? [] : [new TextEncoder().encode(this.#input)]);
  }

  writeOut(bytes: Uint8Array): Promise<void> {
    this.stdout += this.#decoder.decode(bytes, { stream: true });
    return Promise.resolve();
  }

  writeErrorBytes(bytes: Uint8Array): Promise<void> {
    this.stderr += this.#errorDecoder.decode(bytes, { stream: true });
    return Promise.resolve();
  }

  rawTerminal(): undefined {}

  forwardSignals(): Disposable {
    return new DisposableStack();
  }

  untilUnread(): Promise<never> {
    return new Promise(() => {});
  }

  writeError(text: string): void {
    this.stderr += text;
  }

  ask(question: string): Promise<string | undefined> {
    if (this.answer !== undefined) this.stderr += question;
    return Promise.resolve(this.answer);
  }

  env(name: string): string | undefined {
    return this.#env[name];
  }

  /** The lines of stderr, each read as JSON. */
  get records(): Record<string, unknown>[] {
    return this.stderr.trimEnd().split("\n").map((line) => JSON.parse(line));
  }
}
