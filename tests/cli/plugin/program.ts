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
  /** Instead of a real containerd: one in memory that has nothing. */
  inMemory?: boolean;
  cwd?: string;
  /** Beside the variables of this process. */
  env?: Record<string, string>;
  /** Told of what it writes to stderr, as it comes. */
  onError?: (text: string) => void;
  /** Told of the process once it runs. */
  started?: (process: Deno.ChildProcess) => void;
}

/** Runs davit in a process of its own: in this one, Deno would first check the types of every plugin. */
export async function davit(argv: readonly string[], options: ProgramOptions = {}): Promise<Ended> {
  const { canned = false, inMemory = false, cwd, env = {}, onError = () => {}, started } = options;
  const program = inMemory
    ? "./in_memory_program.ts"
    : canned
    ? "./canned_program.ts"
    : "../../../cli/main.ts";
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", fromFileUrl(new URL(program, import.meta.url)), ...argv],
    ...(cwd !== undefined && { cwd }),
    env: { NO_COLOR: "1", DAVIT_CONFIG: "/dev/null", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  started?.(process);
  const [{ code }, stdout, stderr] = await Promise.all([
    process.status,
    textOf(process.stdout),
    textOf(process.stderr, onError),
  ]);
  return { code, stdout, stderr };
}

async function textOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  told = (_: string) => {},
): Promise<string> {
  let text = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    told(text);
  }
  return text;
}
