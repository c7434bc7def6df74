import { run } from "../../../cli/app.ts";
import type { Io } from "../../../cli/io.ts";
import type { Containerd } from "../../real/containerd.ts";

/** What a run of davit left. */
export interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a command line of davit against a containerd, with only the given environment. */
export async function davit(
  { address }: Containerd,
  argv: readonly string[],
  { env = {} }: { env?: Record<string, string> } = {},
): Promise<Result> {
  const stdout: Uint8Array<ArrayBuffer>[] = [];
  let stderr = "";
  const io: Io = {
    stdin: () => ReadableStream.from([]),
    writeOut(bytes) {
      stdout.push(new Uint8Array(bytes));
      return Promise.resolve();
    },
    writeError: (text) => void (stderr += text),
    terminal: undefined,
    env: (name) => env[name],
  };
  const code = await run(["--address", address, ...argv], io);
  return { code, stdout: await new Blob(stdout).text(), stderr };
}
