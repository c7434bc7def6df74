/** How long one look lasts, in milliseconds. */
const lookMs = 1_000;

/** What poll() says of a pipe that nobody reads, or of a socket whose other end is gone. */
const errorOrHangUp = 0x08 | 0x10;

/**
 * Resolves once nobody can read any more what goes to stdout; Deno would tell only when something is written. Where the
 * system's library of C cannot be had, and after the signal aborts, it never does.
 */
export async function untilReaderIsGone(signal: AbortSignal): Promise<void> {
  const gone = await look(signal).catch(() => false);
  if (!gone) await new Promise(() => {});
}

async function look(signal: AbortSignal): Promise<boolean> {
  const parameters = ["buffer", "usize", "i32"] as const;
  const path = Deno.build.os === "linux" ? "libc.so.6" : "libSystem.B.dylib";
  using stack = new DisposableStack();
  const library = Deno.dlopen(path, { poll: { parameters, result: "i32", nonblocking: true } });
  stack.defer(() => library.close());
  const stdout = new Uint8Array(8); // the file's number, which events to wait for, and which there were
  new DataView(stdout.buffer).setInt32(0, 1, true);
  while (!signal.aborted) {
    const count = await library.symbols.poll(stdout, 1n, lookMs);
    if (count > 0 && (stdout[6]! & errorOrHangUp) !== 0) return true;
    if (count !== 0) return false;
  }
  return false;
}
