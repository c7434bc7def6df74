import { join } from "@std/path";
import { buildApp, distFolder } from "../../cli/build/build.ts";
import { launchArguments } from "../../cli/build/launch.ts";
import { makePortable } from "../../cli/build/portable.ts";
import { connect, removeNamespace } from "../../mod.ts";
import { Containerd } from "../real/containerd.ts";
import { peakMemory, run } from "../real/process.ts";
import type { Release } from "../real/releases.ts";
import type { Contender } from "./compare.ts";

/** davit as it is built and packed, each as the words to put before its arguments, in a folder of its own. */
export class Programs implements AsyncDisposable {
  readonly folder: string;
  readonly bundle: readonly string[];
  readonly portable: readonly string[];
  /** Deno with a program that does nothing. */
  readonly nothing: readonly string[];

  private constructor(folder: string) {
    this.folder = folder;
    this.bundle = [Deno.execPath(), ...launchArguments(join(folder, "app"))];
    this.portable = [join(folder, "davit-portable")];
    this.nothing = [Deno.execPath(), "run", join(folder, "nothing.js")];
  }

  static async build(): Promise<Programs> {
    const programs = new Programs(await Deno.makeTempDir({ prefix: "davit-bench-" }));
    const { folder } = programs;
    const app = join(folder, "app");
    await buildApp(app);
    // Made where the compressed Deno is kept.
    const made = await makePortable({ app, output: join(distFolder, `davit-portable-${Deno.pid}`) });
    await Deno.copyFile(made, join(folder, "davit-portable"));
    await Deno.remove(made);
    await Deno.writeTextFile(join(folder, "nothing.js"), "");
    return programs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** The programs, and a containerd to use them on. */
export class Lab implements AsyncDisposable {
  readonly programs: Programs;
  readonly containerd: Containerd;
  readonly #env: Record<string, string>;
  readonly #kept = new AsyncDisposableStack();

  private constructor(programs: Programs, containerd: Containerd) {
    this.programs = programs;
    this.containerd = containerd;
    this.#env = {
      CONTAINERD_ADDRESS: containerd.address,
      PATH: containerd.release.path,
      DAVIT_CACHE_DIR: join(programs.folder, "cache"),
      DENO_DIR: join(programs.folder, "deno"),
      DENO_NO_UPDATE_CHECK: "1",
    };
  }

  /**
   * Starts a containerd on a disk, where its writes cost what they cost users. Until the lab is disposed, what is
   * started runs before all else on the machine if it may: of two contenders, a busy machine slows down the longer one
   * more. A container cannot be started so.
   */
  static async open(
    programs: Programs,
    release: Release,
    { startsContainers = false } = {},
  ): Promise<Lab> {
    if (!startsContainers) await schedule("--rr", 10);
    const root = await Deno.makeTempDir({ dir: programs.folder });
    return new Lab(programs, await Containerd.start(release, { root }));
  }

  /** Keeps what rows need until the end. */
  keep<Kept extends AsyncDisposable>(kept: Kept): Kept {
    return this.#kept.use(kept);
  }

  /** A path for a file that rows need. */
  file(name: string): string {
    return join(this.programs.folder, name);
  }

  /** A command, from its start to its end; what it prints goes nowhere. */
  command(words: readonly string[]): Contender {
    const [program = "", ...args] = words;
    let peak = Promise.resolve(0);
    const start = async () => {
      const child = new Deno.Command(program, {
        args,
        env: this.#env,
        stdin: "null",
        stdout: "null",
        stderr: "piped",
      }).spawn();
      peak = peakMemory(child);
      const { success, code, stderr } = await child.output();
      if (success) return;
      const reason = new TextDecoder().decode(stderr).trim();
      throw new Error(`Cannot measure "${words.join(" ")}": exit code ${code}: ${reason}`);
    };
    return { run: start, peakBytes: () => peak };
  }

  davit(...args: string[]): Contender {
    return this.command([...this.programs.bundle, ...args]);
  }

  ctr(...args: string[]): Contender {
    return this.command(["ctr", ...args]);
  }

  /** Removes a namespace with all that it holds. */
  async remove(namespace: string): Promise<void> {
    await using client = await connect({ address: this.containerd.address });
    if (!await client.namespaces.exists(namespace)) return;
    const { images } = client.namespace(namespace);
    for await (const { name } of images.list()) await images.delete(name);
    await removeNamespace(client, namespace, { deleteLeases: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#kept.disposeAsync();
    await this.containerd[Symbol.asyncDispose]();
    await schedule("--other", 0);
  }
}

/** Sets how this process, and each that it starts from then on, gets its turns on the processors. */
async function schedule(policy: "--rr" | "--other", priority: number): Promise<void> {
  await run("chrt", [policy, "--pid", String(priority), String(Deno.pid)], { check: false });
}
