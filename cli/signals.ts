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
        if (signal === "SIGUSR1") withoutDebugger();
      };
      Deno.addSignalListener(signal, handle);
      stack.defer(() => Deno.removeSignalListener(signal, handle));
    }
    this.#forwarding++;
    stack.defer(() => this.#forwarding--);
    return stack;
  }
}

async function withoutDebugger(): Promise<void> {
  const { closeInspector } = await import("../lib/host.ts");
  await closeInspector();
}
