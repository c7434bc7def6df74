import type { Foreground, RawTerminal } from "./foreground.ts";
import { ProcessSignals } from "./signals.ts";

/** Where a run reads and writes: the only way to the streams, the terminal and the environment. */
export interface Io extends Foreground {
  /** Whether stdout is a terminal. */
  readonly outputIsTerminal: boolean;
  /** Resolves once nobody reads stdout any more, if that can be told; not after the signal aborts. */
  untilUnread(signal: AbortSignal): Promise<void>;
  /** Writes to stderr, at once. A reader that is gone does not matter. */
  writeError(text: string): void;
  /** The terminal that stderr is; `undefined` when it is none, or one that cannot move its cursor. */
  readonly terminal: Terminal | undefined;
  /** Puts a question on the terminal and resolves to the line that is typed; `undefined` where nobody can answer. */
  ask(question: string): Promise<string | undefined>;
  /** A variable that is set and not empty. */
  env(name: string): string | undefined;
}

/** What may be done to a terminal. */
export interface Terminal {
  /** How many characters fit on a line, now. */
  readonly columns: number;
  /** How many lines it has, now; absent where nobody has told. */
  readonly rows?: number;
  readonly colour: boolean;
  /** Whether stdout is a terminal, too: most likely the same. */
  readonly showsOutput: boolean;
}

/** The streams and the environment of this process. */
export class ProcessIo implements Io {
  readonly #encoder = new TextEncoder();
  readonly signals = new ProcessSignals();

  stdin(): ReadableStream<Uint8Array> {
    return Deno.stdin.readable;
  }

  async writeOut(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await Deno.stdout.write(rest));
  }

  async writeErrorBytes(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await Deno.stderr.write(rest));
  }

  rawTerminal(): RawTerminal | undefined {
    return Deno.stdin.isTerminal() ? takeTerminal(this.signals) : undefined;
  }

  forwardSignals(listener: (signal: string) => void): Disposable {
    return this.signals.forward(listener);
  }

  get outputIsTerminal(): boolean {
    return Deno.stdout.isTerminal();
  }

  async untilUnread(signal: AbortSignal): Promise<void> {
    const { untilReaderIsGone } = await import("./reader.ts");
    await untilReaderIsGone(signal);
  }

  writeError(text: string): void {
    try {
      let rest = this.#encoder.encode(text);
      while (rest.length > 0) rest = rest.subarray(Deno.stderr.writeSync(rest));
    } catch {
      // Nobody is left to be told.
    }
  }

  get terminal(): Terminal | undefined {
    if (!Deno.stderr.isTerminal() || this.env("TERM") === "dumb") return undefined;
    return {
      ...sizeOfConsole(),
      colour: this.env("NO_COLOR") === undefined,
      showsOutput: Deno.stdout.isTerminal(),
    };
  }

  async ask(question: string): Promise<string | undefined> {
    if (!Deno.stdin.isTerminal() || !Deno.stderr.isTerminal()) return undefined;
    this.writeError(question);
    const line = new Uint8Array(1024); // a terminal gives whole lines
    const length = await Deno.stdin.read(line);
    return new TextDecoder().decode(line.subarray(0, length ?? 0)).trim();
  }

  env(name: string): string | undefined {
    return Deno.env.get(name) || undefined;
  }
}

function sizeOfConsole(): { columns: number; rows?: number } {
  try {
    const { columns, rows } = Deno.consoleSize();
    return { columns: columns || 80, ...(rows > 0 && { rows }) }; // 0 where nobody has told
  } catch {
    return { columns: 80 };
  }
}

/** Switches to raw mode; the way back is taken however the process ends, short of being killed. */
function takeTerminal(signals: ProcessSignals): RawTerminal {
  const stack = new DisposableStack();
  const restore = () => {
    processOutput(true);
    Deno.stdin.setRaw(false);
  };
  Deno.stdin.setRaw(true);
  processOutput(false);
  globalThis.addEventListener("unload", restore);
  stack.defer(() => {
    restore();
    globalThis.removeEventListener("unload", restore);
  });
  stack.use(signals.beforeDeath(restore));
  stack.use(signals.withoutDebugger());
  return {
    get size() {
      const { columns, rows = 24 } = sizeOfConsole();
      return { columns, rows };
    },
    onResize(listener) {
      Deno.addSignalListener("SIGWINCH", listener);
      stack.defer(() => Deno.removeSignalListener("SIGWINCH", listener));
    },
    [Symbol.dispose]: () => stack.dispose(),
  };
}

/** Whether the terminal makes a new line begin at its left; Deno's raw mode leaves that on, and full screens break. */
function processOutput(wanted: boolean): void {
  try {
    new Deno.Command("stty", { args: [wanted ? "opost" : "-opost"], stdin: "inherit" }).outputSync();
  } catch {
    // Without that program screens look odd.
  }
}
