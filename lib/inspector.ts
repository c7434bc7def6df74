/**
 * Closes the debugger that Deno opens when a process gets SIGUSR1, which anybody on the machine could use. There is no
 * way to keep it from doing so (https://github.com/denoland/deno/pull/35738).
 */
export async function closeInspector(): Promise<void> {
  const inspector = await import("node:inspector");
  // It opens at about the time when listeners of the signal are called.
  for (let attempt = 0; attempt < 100 && inspector.url() === undefined; attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  inspector.close();
}
