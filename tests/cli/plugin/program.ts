import { fromFileUrl } from "@std/path";

/** What a process of davit left. */
export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

export interface ProgramOptions {
  /** Instead of a real containerd: one that has no images. */
  canned?: boolean;
  cwd?: string;
  /** Told of the process once it runs. */
  started?: (process: Deno.ChildProcess) => void;
}

/** Runs davit in a process of its own: in this one, Deno would first check the types of every plugin. */
export async function davit(argv: readonly string[], options: ProgramOptions = {}): Promise<Ended> {
  const { canned = false, cwd, started } = options;
  const program = canned ? "./canned_program.ts" : "../../../cli/main.ts";
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", fromFileUrl(new URL(program, import.meta.url)), ...argv],
    ...(cwd !== undefined && { cwd }),
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  started?.(process);
  const { code, stdout, stderr } = await process.output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}
