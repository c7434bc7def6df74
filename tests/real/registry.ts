import { join } from "@std/path";
import type { KeyPair } from "./certificates.ts";
import { debianPackage } from "./debian.ts";
import { firstLine } from "./process.ts";

export interface RegistryStartOptions {
  /** The certificate to show; plain http without. */
  tls?: KeyPair;
  /** Path of the certificate of the authority that clients must be signed by. */
  clientCa?: string;
  /** Whether only {@linkcode account} may do anything. @default false */
  password?: boolean;
  /** The token server to send clients to. */
  token?: { realm: string; service: string; issuer: string; cert: string };
}

/** The one account of a registry with a password, which no output may ever show. */
export const account = { username: "davit", password: "canary-5ecret" };

/** bcrypt, of the password above. */
const passwordHash = "$2y$05$abcdefghijklmnopqrstuuacxD6pG5D5/pUUuKTQTOXjjnFrzV11K";

const START_TIMEOUT_MS = 30_000;

/** A private, real docker-registry that keeps everything in a temporary folder and leaves nothing when disposed. */
export class LocalRegistry implements AsyncDisposable {
  readonly #folder: string;
  readonly #program: string;
  readonly #options: RegistryStartOptions;
  #process: Deno.ChildProcess | undefined;
  #port = 0;

  private constructor(folder: string, program: string, options: RegistryStartOptions) {
    this.#folder = folder;
    this.#program = program;
    this.#options = options;
  }

  /**
   * Starts a registry on a free port of the loopback interface and waits until it listens.
   *
   * @throws {Error} with its log, if it does not.
   */
  static async start(options: RegistryStartOptions = {}): Promise<LocalRegistry> {
    const program = join(await debianPackage("docker-registry"), "usr/bin/docker-registry");
    const folder = await Deno.makeTempDir({ prefix: "davit-registry-" });
    const registry = new LocalRegistry(folder, program, options);
    try {
      await registry.restart();
    } catch (error) {
      await registry[Symbol.asyncDispose]();
      throw error;
    }
    return registry;
  }

  /** As in references: `127.0.0.1:40123`. */
  get host(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get url(): string {
    return `${this.#options.tls ? "https" : "http"}://${this.host}`;
  }

  /** The file of a blob. */
  blobFile(digest: string): string {
    const [algorithm = "", hex = ""] = digest.split(":");
    return join(this.#folder, "data/docker/registry/v2/blobs", algorithm, hex.slice(0, 2), hex, "data");
  }

  async log(): Promise<string> {
    return await Deno.readTextFile(join(this.#folder, "log")).catch(() => "");
  }

  /** Ends the registry at once, with all connections. */
  async kill(): Promise<void> {
    this.#process?.kill("SIGKILL");
    await this.#process?.status;
    this.#process = undefined;
  }

  /** Starts the registry again, on the same port and data. */
  async restart(): Promise<void> {
    await this.kill();
    await this.#configure();
    await Deno.writeTextFile(join(this.#folder, "log"), "");
    const script = 'exec "$0" serve "$1" >>"$2" 2>&1';
    // setpriv: the registry dies with this process, however that ends. Both programs exec, so the pid stays.
    this.#process = new Deno.Command("setpriv", {
      args: [
        ...["--pdeathsig", "KILL", "sh", "-c", script],
        ...[this.#program, join(this.#folder, "config.json"), join(this.#folder, "log")],
      ],
      env: { OTEL_TRACES_EXPORTER: "none" },
      stdin: "null",
    }).spawn();
    this.#port = await this.#listening(this.#process);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #configure(): Promise<void> {
    const { tls, clientCa, password = false, token } = this.#options;
    await Deno.writeTextFile(join(this.#folder, "htpasswd"), `${account.username}:${passwordHash}\n`);
    const htpasswd = { realm: "davit tests", path: join(this.#folder, "htpasswd") };
    const configuration = {
      version: 0.1,
      storage: {
        filesystem: { rootdirectory: join(this.#folder, "data") },
        delete: { enabled: true },
      },
      http: {
        addr: `127.0.0.1:${this.#port}`,
        secret: "uploads go on after a restart",
        ...(tls && {
          tls: { certificate: tls.cert, key: tls.key, ...clientCa && { clientcas: [clientCa] } },
        }),
      },
      ...(password && { auth: { htpasswd } }),
      ...(token && { auth: { token: { ...token, cert: undefined, rootcertbundle: token.cert } } }),
    };
    // JSON is YAML.
    await Deno.writeTextFile(join(this.#folder, "config.json"), JSON.stringify(configuration));
  }

  async #listening(process: Deno.ChildProcess): Promise<number> {
    let hasEnded = false;
    process.status.then(() => hasEnded = true);
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (!hasEnded && Date.now() < deadline) {
      const port = /listening on [^\s"]*:(\d+)/.exec(await this.log())?.[1];
      if (port !== undefined) return Number(port);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error(`Cannot start docker-registry:\n${await this.log()}`);
  }
}

const missing = await debianPackage("docker-registry").then(() => undefined, firstLine);

/** Registers a test that needs a real registry; it is skipped, or fails, as those that need a containerd. */
export function registryTest(name: string, body: (t: Deno.TestContext) => Promise<void>): void {
  const label = missing === undefined ? name : `${name} [no docker-registry: ${missing}]`;
  const ignore = missing !== undefined && Deno.env.get("DAVIT_REQUIRE_REAL") !== "1";
  Deno.test({ name: label, ignore, timeout: 5 * 60_000, fn: body });
}
