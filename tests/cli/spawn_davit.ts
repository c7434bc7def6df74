import { fromFileUrl } from "@std/path";
import type { Containerd } from "../real/containerd.ts";

const main = fromFileUrl(new URL("../../cli/main.ts", import.meta.url));

/** Starts davit from source as a process of its own, with pipes for its output. */
export function spawnDavit(
  { address }: Containerd,
  argv: readonly string[],
  { stdin = "null" }: { stdin?: "null" | "piped" } = {},
): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "-A", main, "--address", address, ...argv],
    env: { CONTAINERD_NAMESPACE: "" },
    stdin,
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Waits for the end of a process; resolves to how much memory it had at most, in bytes. */
export async function peakMemory(process: Deno.ChildProcess): Promise<number> {
  let peak = 0;
  let isOver = false;
  process.status.then(() => isOver = true);
  while (!isOver) {
    const status = await Deno.readTextFile(`/proc/${process.pid}/status`).catch(() => "");
    peak = Math.max(peak, 1024 * Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return peak;
}
