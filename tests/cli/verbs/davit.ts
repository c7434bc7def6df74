import { run } from "../../../cli/app.ts";
import type { Containerd } from "../../real/containerd.ts";
import type { Output } from "../../real/process.ts";
import { CapturedIo } from "../captured_io.ts";

/** Runs a command line of davit against a containerd, in an environment of its own. */
export async function davit(
  { address }: Containerd,
  argv: readonly string[],
  { env = {}, input = "" }: { env?: Record<string, string>; input?: string } = {},
): Promise<Output> {
  const io = new CapturedIo({ env, input });
  const code = await run(["--address", address, ...argv], io);
  return { code, stdout: io.stdout, stderr: io.stderr };
}
