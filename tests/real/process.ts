/** What a process left when it ended. */
export interface Output {
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  cwd?: string;
  env?: Record<string, string>;
  stdin?: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Whether an exit code other than 0 throws. @default true */
  check?: boolean;
}

/** Runs a program to its end. Standard input is empty unless given. */
export async function run(program: string, args: string[], options: RunOptions = {}): Promise<Output> {
  const { stdin, check = true, ...rest } = options;
  const child = new Deno.Command(program, {
    ...rest,
    args,
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [output] = await Promise.all([
    child.output(),
    stdin === undefined ? undefined : feed(child.stdin, stdin),
  ]);
  const decoder = new TextDecoder();
  const stdout = decoder.decode(output.stdout);
  const stderr = decoder.decode(output.stderr);
  if (check && !output.success) {
    const status = output.signal === null ? `exit ${output.code}` : output.signal;
    throw new Error(
      `Cannot run "${[program, ...args].join(" ")}": ${status}: ${stderr.trim() || stdout.trim()}`,
    );
  }
  return { code: output.code, stdout, stderr };
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

/** The first line of an error's message, for reasons that must fit on one line. */
export function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0] ?? "";
}

async function feed(
  sink: WritableStream<Uint8Array<ArrayBuffer>>,
  source: NonNullable<RunOptions["stdin"]>,
): Promise<void> {
  const stream = source instanceof ReadableStream ? source : ReadableStream.from([source]);
  try {
    await stream.pipeTo(sink);
  } catch (error) {
    // A program may end without reading all of its input; its exit code tells whether that was right.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
