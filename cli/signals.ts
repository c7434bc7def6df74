/** The signals that this process gets. */

/** All that a process can take, but those about its own children and those of its runtime. */
const forwardable: readonly Deno.Signal[] = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGTRAP",
  "SIGABRT",
  "SIGBUS",
  "SIGUSR1",
  "SIGUSR2",
  "SIGPIPE",
  "SIGALRM",
  "SIGTERM",
  "SIGSTKFLT",
  "SIGCONT",
  "SIGTSTP",
  "SIGTTIN",
  "SIGTTOU",
  "SIGXCPU",
  "SIGXFSZ",
  "SIGVTALRM",
  "SIGPROF",
  "SIGWINCH",
  "SIGIO",
  "SIGPWR",
  "SIGSYS",
];

/** Those of them that end whoever does not listen; for INT and TERM there is always somebody. */
const deadly = forwardable.filter((signal) =>
  !["SIGINT", "SIGTERM", "SIGUSR1", "SIGCONT", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGWINCH"].includes(signal)
);

/** Who gets the signals. */
export class ProcessSignals {
  #forwarding = 0;

  /** They go on to a process in a container, and end no run here. */
  get areForwarded(): boolean {
    return this.#forwarding > 0;
  }

  /** Hands on every signal that can be taken, until it is disposed. */
  forward(listener: (signal: Deno.Signal) => void): Disposable {
    const stack = new DisposableStack();
    // Without any listener it would end us from then on; at first it is ignored.
    Deno.addSignalListener("SIGPIPE", () => {});
    for (const signal of forwardable) {
      const handle = () => {
        listener(signal);
        if (signal === "SIGUSR1") closeDebugger();
      };
      Deno.addSignalListener(signal, handle);
      stack.defer(() => Deno.removeSignalListener(signal, handle));
    }
    this.#forwarding++;
    stack.defer(() => this.#forwarding--);
    return stack;
  }

  /** Takes SIGUSR1, which Deno opens a debugger for, and does nothing, until it is disposed. */
  withoutDebugger(): Disposable {
    Deno.addSignalListener("SIGUSR1", closeDebugger);
    return { [Symbol.dispose]: () => Deno.removeSignalListener("SIGUSR1", closeDebugger) };
  }

  /** Calls the listener before a signal ends this process at once, until it is disposed. */
  beforeDeath(listener: () => void): Disposable {
    const stack = new DisposableStack();
    for (const signal of deadly) {
      const handle = () => {
        listener();
        stack.dispose();
        Deno.kill(Deno.pid, signal);
      };
      Deno.addSignalListener(signal, handle);
      stack.defer(() => Deno.removeSignalListener(signal, handle));
    }
    return stack;
  }
}

async function closeDebugger(): Promise<void> {
  const { closeInspector } = await import("../lib/host.ts");
  await closeInspector();
}
