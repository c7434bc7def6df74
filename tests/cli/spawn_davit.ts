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
