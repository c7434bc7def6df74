import { join } from "@std/path";
import { debianPackage, isFile } from "./debian.ts";
import { run } from "./process.ts";

/** A real terminal of a given size that a program runs in; what is on its screen can be read. */
export class Screen implements AsyncDisposable {
  readonly #server = `davit-test-${crypto.randomUUID()}`;

  /** Starts a shell command; the screen stays when it has ended. */
  static async start(
    command: string,
    { columns = 80, rows = 24, env = {} }: {
      columns?: number;
      rows?: number;
      env?: Record<string, string>;
    } = {},
  ): Promise<Screen> {
    const screen = new Screen();
    const size = ["-x", String(columns), "-y", String(rows)];
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    await screen.#tmux(
      ...["-f", "/dev/null", "new-session", "-d", ...size, "env", ...variables, "sh", "-c"],
      `${command}; printf 'exit %s' "$?"; exec sleep 600`,
    );
    return screen;
  }

  /** The lines of the screen, without empty ones at the end. */
  async lines(): Promise<string[]> {
    const { stdout } = await this.#tmux("capture-pane", "-p");
    return stdout.trimEnd().split("\n");
  }

  /** Resolves to the screen once it passes. */
  async until(passes: (lines: string[]) => boolean): Promise<string[]> {
    const deadline = Date.now() + 60_000;
    while (true) {
      const lines = await this.lines();
      if (passes(lines)) return lines;
      if (Date.now() > deadline) throw new Error(`Not on the screen within a minute:\n${lines.join("\n")}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Whether the cursor can be seen, and where it is. */
  async cursor(): Promise<{ visible: boolean; column: number }> {
    const { stdout } = await this.#tmux("display-message", "-p", "#{cursor_flag} #{cursor_x}");
    const [flag, column] = stdout.trim().split(" ");
    return { visible: flag === "1", column: Number(column) };
  }

  async resize({ columns, rows }: { columns: number; rows: number }): Promise<void> {
    await this.#tmux("resize-window", "-x", String(columns), "-y", String(rows));
  }

  /** Presses keys, in tmux' words: `C-c`. */
  async press(...keys: string[]): Promise<void> {
    await this.#tmux("send-keys", ...keys);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux("kill-server");
  }

  async #tmux(...args: string[]): Promise<{ stdout: string }> {
    const { program, env } = await tmux();
    return await run(program, ["-L", this.#server, ...args], { env });
  }
}

/** What tmux needs and a small machine lacks, under the names of the releases of Debian. */
const libraries = [["libevent-core-2.1-7", "libevent-core-2.1-7t64"], ["libutempter0"]];

/** The machine's tmux, or that of its release. */
async function tmux(): Promise<{ program: string; env: Record<string, string> }> {
  if (await isFile("/usr/bin/tmux")) return { program: "/usr/bin/tmux", env: {} };
  const folders = await Promise.all(libraries.map(async ([name = "", newer = name]) => {
    const folder = await debianPackage(name).catch(() => debianPackage(newer));
    return join(folder, `usr/lib/${Deno.build.arch}-linux-gnu`);
  }));
  const program = join(await debianPackage("tmux"), "usr/bin/tmux");
  return { program, env: { LD_LIBRARY_PATH: folders.join(":") } };
}
