/** What commands are shown and run with. */
export interface ShellOptions {
  /** Where the programs are looked for first. */
  bin: string;
  cwd: string;
  env: Record<string, string>;
  signal: AbortSignal;
}

/** Runs commands and shows each as it would be typed, what it prints, and how long it took. */
export class Shell {
  readonly #options: Deno.CommandOptions;

  constructor({ bin, cwd, env, signal }: ShellOptions) {
    const path = `${bin}:${Deno.env.get("PATH")}`;
    this.#options = { cwd, signal, stdin: "null", env: { ...env, PATH: path } };
  }

  /** @throws {Error} when the command fails. */
  async run(program: string, ...args: string[]): Promise<void> {
    const command = [program, ...args].map(quotedForShell).join(" ");
    await say(`$ ${command}`);
    const start = performance.now();
    const { success, code } = await new Deno.Command(program, { ...this.#options, args }).spawn().status;
    this.#options.signal!.throwIfAborted();
    if (!success) throw new Error(`Cannot go on: "${command}" ended with exit code ${code}`);
    await say(`  (${Math.round(performance.now() - start)} ms)\n`);
  }
}

/** Prints a line. */
export async function say(line: string): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(`${line}\n`));
}

function quotedForShell(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
