import type { Containerd } from "../real/containerd.ts";

/** Makes a daemon hang until disposed: connections are accepted and never answered. */
export async function frozen(containerd: Containerd): Promise<Disposable> {
  containerd.freeze();
  // The signal takes its time to reach all threads, and till then they answer.
  while (!(await isStopped(containerd.pid))) await new Promise((resolve) => setTimeout(resolve, 1));
  return { [Symbol.dispose]: () => containerd.thaw() };
}

async function isStopped(pid: number): Promise<boolean> {
  for await (const { name } of Deno.readDir(`/proc/${pid}/task`)) {
    const status = await Deno.readTextFile(`/proc/${pid}/task/${name}/status`);
    if (!/^State:\s+T/m.test(status)) return false;
  }
  return true;
}
