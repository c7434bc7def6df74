import { join } from "@std/path";
import { makeRoot, removeLeftovers, sweepAbandoned } from "./leftovers.ts";
import { type Output, run, type RunOptions } from "./process.ts";
import type { Release } from "./releases.ts";

/** Whether namespaces may take over each other's blobs without sending them. */
export type SharingPolicy = "shared" | "isolated";

/** When garbage is collected: whenever containerd sees fit, or only when somebody asks for it and waits. */
export type Collecting = "at will" | "on request";

export interface StartOptions {
  /** @default "shared" */
  policy?: SharingPolicy;
  /** @default "at will", as containerd comes */
  collecting?: Collecting;
  /** Folder for everything the daemon keeps, removed on disposal. @default a temporary one */
  root?: string;
}

export interface CtrOptions {
  /** @default "default" */
  namespace?: string;
  stdin?: NonNullable<RunOptions["stdin"]>;
  /** Whether an exit code other than 0 throws. @default true */
  check?: boolean;
}

/** The longest path a unix socket can have. */
const MAX_SOCKET_PATH = 107;
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 5_000;

/** A private, real containerd that keeps everything under one folder and leaves nothing behind when disposed. */
export class Containerd implements AsyncDisposable {
  readonly release: Release;
  readonly root: string;
  readonly policy: SharingPolicy;
  readonly collecting: Collecting;
  #process: Deno.ChildProcess | undefined;
  #exit: Deno.CommandStatus | undefined;

  private constructor(release: Release, root: string, options: StartOptions) {
    this.release = release;
    this.root = root;
    this.policy = options.policy ?? "shared";
    this.collecting = options.collecting ?? "at will";
  }

  /**
   * Starts a daemon and waits until it answers.
   *
   * @throws {Error} with the end of the daemon's log, if it does not.
   */
  static async start(release: Release, options: StartOptions = {}): Promise<Containerd> {
    await sweepAbandoned(release);
    const containerd = new Containerd(release, options.root ?? await makeRoot(), options);
    try {
      await containerd.#configure();
      await containerd.#launch();
    } catch (error) {
      await containerd[Symbol.asyncDispose]();
      throw error;
    }
    return containerd;
  }

  /** Path of the daemon's socket. */
  get address(): string {
    return join(this.root, "containerd.sock");
  }

  /** Folder of the blobs' files, `<algorithm>/<hex>`. */
  get contentDir(): string {
    return join(this.root, "root/io.containerd.content.v1.content/blobs");
  }

  get pid(): number {
    if (this.#process === undefined) throw new Error("containerd was never started");
    return this.#process.pid;
  }

  alive(): boolean {
    return this.#process !== undefined && this.#exit === undefined;
  }

  /** Resolves when the daemon has ended. */
  async exited(): Promise<void> {
    await this.#process?.status;
  }

  /** The daemon's log, of all its starts. */
  async log(): Promise<string> {
    return await Deno.readTextFile(this.#logFile).catch(() => "");
  }

  /** The last lines of the daemon's log. */
  async logTail(lines = 20): Promise<string> {
    return (await this.log()).trimEnd().split("\n").slice(-lines).join("\n");
  }

  /** Runs this release's ctr against the daemon. */
  async ctr(args: string[], { namespace = "default", ...options }: CtrOptions = {}): Promise<Output> {
    const global = ["--address", this.address, "--namespace", namespace];
    return await run(join(this.release.bin, "ctr"), [...global, ...args], {
      ...options,
      env: { PATH: this.release.path },
    });
  }

  kill(signal: Deno.Signal = "SIGKILL"): void {
    this.#process?.kill(signal);
  }

  /** Makes the daemon hang: connections are accepted and never answered. */
  freeze(): void {
    this.kill("SIGSTOP");
  }

  thaw(): void {
    this.kill("SIGCONT");
  }

  /** Starts the daemon again, on the same folder and socket; stops it first if it runs. */
  async restart(): Promise<void> {
    await this.stop();
    await this.#launch();
  }

  /** Stops the daemon and keeps its folder; its containers go on. */
  async stop(): Promise<void> {
    if (!this.alive()) return;
    this.kill("SIGTERM");
    this.thaw();
    const deadline = setTimeout(() => this.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await this.exited();
    clearTimeout(deadline);
  }

  /** Stops the daemon and its containers, unmounts and removes its folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await removeLeftovers(this.root, this.release);
  }

  get #configFile(): string {
    return join(this.root, "config.toml");
  }

  get #logFile(): string {
    return join(this.root, "containerd.log");
  }

  async #configure(): Promise<void> {
    // containerd listens on a second socket, whose name is longer.
    if (`${this.address}.ttrpc`.length > MAX_SOCKET_PATH) {
      throw new RangeError(`Cannot use root "${this.root}": the path of a socket in it would be too long`);
    }
    await Deno.mkdir(this.root, { recursive: true });
    await Deno.writeTextFile(this.#configFile, configuration(this));
  }

  async #launch(): Promise<void> {
    this.#exit = undefined;
    // setpriv: the daemon dies with this process, however that ends. Both programs exec, so the pid stays.
    const script = 'exec "$0" --config "$1" >>"$2" 2>&1';
    const program = [join(this.release.bin, "containerd"), this.#configFile, this.#logFile];
    const process = new Deno.Command("setpriv", {
      args: ["--pdeathsig", "KILL", "sh", "-c", script, ...program],
      env: { PATH: this.release.path },
      stdin: "null",
    }).spawn();
    this.#process = process;
    process.status.then((status) => this.#exit = status);
    await this.#ready();
  }

  async #ready(): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (this.alive() && Date.now() < deadline) {
      if (await accepts(this.address)) {
        const { code } = await this.ctr(["--timeout", "5s", "version"], { check: false });
        if (code === 0) return;
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const state = this.alive() ? `not ready within ${START_TIMEOUT_MS} ms` : "it exited";
    throw new Error(`Cannot start containerd ${this.release.version}: ${state}:\n${await this.logTail()}`);
  }
}

/** Version 2 of the format starts all supported releases; every path outside of the root is moved or switched off. */
function configuration({ root, address, policy, collecting }: Containerd): string {
  const quote = JSON.stringify;
  // Between two collections containerd waits for as long as one takes, divided by this share.
  const share = collecting === "at will" ? 0.02 : 0.000_001;
  return `version = 2
root = ${quote(join(root, "root"))}
state = ${quote(join(root, "state"))}
disabled_plugins = [
  "io.containerd.grpc.v1.cri",
  "io.containerd.cri.v1.images",
  "io.containerd.cri.v1.runtime",
  "io.containerd.nri.v1.nri",
]
[debug]
level = "warn"
[grpc]
address = ${quote(address)}
[plugins."io.containerd.internal.v1.opt"]
path = ${quote(join(root, "opt"))}
[plugins."io.containerd.metadata.v1.bolt"]
content_sharing_policy = ${quote(policy)}
[plugins."io.containerd.gc.v1.scheduler"]
startup_delay = ${quote(collecting === "at will" ? "100ms" : "1h")}
pause_threshold = ${share}
`;
}

async function accepts(path: string): Promise<boolean> {
  try {
    using _connection = await Deno.connect({ transport: "unix", path });
    return true;
  } catch {
    return false;
  }
}
