/** Real shells, at a terminal, with davit's completion. */
import { join } from "@std/path";
import { scripts, type shells } from "../../../cli/completion/scripts.ts";
import { debianPackage } from "../../real/debian.ts";

type ShellName = typeof shells[number];

/** How to start a shell: its words, what it needs in its environment, and what to read first. */
interface Installation {
  words: string[];
  env: Record<string, string>;
  setUp: string;
}

/** A shell's file names and keys: Control-X p writes the line that is being edited to `$LINE`. */
const installations: Readonly<Record<ShellName, (folder: string) => Promise<Installation>>> = {
  bash: (folder) =>
    Promise.resolve({
      words: ["bash", "--noprofile", "--rcfile", join(folder, "rc"), "-i"],
      env: {},
      setUp: `shown() { printf %s "$READLINE_LINE" > "$LINE.new"; mv "$LINE.new" "$LINE"; }
bind -x '"\\C-xp": shown'
bind 'set enable-bracketed-paste off'
bind 'set completion-query-items 0'
`,
    }),

  zsh: async (folder) => {
    const [binaries, functions] = await Promise.all([debianPackage("zsh"), debianPackage("zsh-common")]);
    const modules = join(binaries, "usr/lib/x86_64-linux-gnu/zsh/5.9");
    await Deno.writeTextFile(join(folder, ".zshenv"), "unsetopt global_rcs\n");
    return {
      words: [join(binaries, "bin/zsh"), "-i"],
      env: { ZDOTDIR: folder },
      setUp: `module_path=(${modules})
fpath=(${functions}/usr/share/zsh/functions/**/*(/))
autoload -Uz compinit && compinit -u -D
shown() { print -rn -- "$BUFFER" > "$LINE.new"; mv "$LINE.new" "$LINE" }
zle -N shown
bindkey -e
bindkey '^Xp' shown
setopt no_list_beep no_always_last_prompt
`,
    };
  },

  fish: async (folder) => {
    const [binaries, functions, pcre] = await Promise.all(
      ["fish", "fish-common", "libpcre2-32-0"].map((name) => debianPackage(name)),
    );
    // fish looks for its functions beside itself.
    await Deno.mkdir(join(folder, "bin"));
    await Deno.copyFile(join(binaries!, "usr/bin/fish"), join(folder, "bin/fish"));
    await Deno.symlink(join(functions!, "usr/share"), join(folder, "share"));
    await Deno.symlink(join(functions!, "etc"), join(folder, "etc"));
    return {
      words: [join(folder, "bin/fish"), "--init-command", `source ${join(folder, "rc")}`, "-i"],
      env: { LD_LIBRARY_PATH: join(pcre!, "usr/lib/x86_64-linux-gnu") },
      setUp: `function shown; commandline > $LINE.new; mv $LINE.new $LINE; end
set fish_greeting
function fish_user_key_bindings; bind \\cxp shown; end
`,
    };
  },
};

/** An interactive shell; its own files are in a folder that goes with it. */
export class Shell implements AsyncDisposable {
  readonly #folder: string;
  readonly #process: Deno.ChildProcess;
  readonly #keys: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #shown: Promise<string>;

  private constructor(folder: string, process: Deno.ChildProcess) {
    this.#folder = folder;
    this.#process = process;
    this.#keys = process.stdin.getWriter();
    this.#shown = new Response(process.stdout).text();
  }

  /** Starts one in `cwd`, with davit's completion from its script and `davit` as the words given. */
  static async start(
    name: ShellName,
    { davit, cwd, env }: { davit: readonly string[]; cwd: string; env: Record<string, string> },
  ): Promise<Shell> {
    const folder = await Deno.makeTempDir({ prefix: "davit-shell-" });
    const { words, setUp, env: own } = await installations[name](folder);
    await Deno.mkdir(join(folder, "path"));
    const program = join(folder, "path/davit");
    await Deno.writeTextFile(program, `#!/bin/sh\nunset LD_LIBRARY_PATH\nexec ${davit.join(" ")} "$@"\n`);
    await Deno.chmod(program, 0o755);
    await Deno.writeTextFile(join(folder, name === "zsh" ? ".zshrc" : "rc"), setUp + scripts[name]);
    const command = `stty cols 200 rows 50; exec ${words.map((word) => `'${word}'`).join(" ")}`;
    const process = new Deno.Command("script", {
      args: ["--quiet", "--return", "--command", command, "/dev/null"],
      cwd,
      clearEnv: true,
      env: {
        HOME: folder,
        LANG: "C.UTF-8",
        LINE: join(folder, "line"),
        PATH: `${folder}/path:/usr/bin:/bin`,
        SHELL: "/bin/sh",
        TERM: "xterm",
        DENO_NO_UPDATE_CHECK: "1",
        ...own,
        ...env,
      },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    return new Shell(folder, process);
  }

  /** What a line becomes when Tab is pressed at its end. */
  async completed(line: string): Promise<string> {
    await this.#press(`${line}\t\x18p`);
    const path = join(this.#folder, "line");
    const deadline = Date.now() + 60_000;
    while (!(await exists(path))) {
      if (Date.now() > deadline) throw new Error(`The shell does not show what became of "${line}"`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const completed = await Deno.readTextFile(path);
    await Deno.remove(path);
    await this.#press("\x05\x15"); // to its end, and away with it
    return completed.replace(/\n$/, "");
  }

  async #press(keys: string): Promise<void> {
    await this.#keys.write(new TextEncoder().encode(keys));
  }

  /** Ends it; resolves to all that stood on its terminal. */
  async exit(): Promise<string> {
    await this.#press("exit\r");
    await this.#keys.close();
    const shown = await this.#shown;
    await this.#process.status;
    return shown;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#keys.close().catch(() => {});
    await this.#shown;
    await this.#process.status;
    await Deno.remove(this.#folder, { recursive: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
