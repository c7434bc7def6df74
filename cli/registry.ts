/** Registries as a command line, the environment and configuration files say. */
import {
  configCredentials,
  configuredHosts,
  type Credentials,
  type CredentialsSource,
  fixedCredentials,
  type HostFiles,
  openRegistry,
  parseReference,
  type Registry,
  type RegistryAnswer,
  type Retry,
  type TlsSettings,
} from "../mod.ts";
import { join } from "@std/path";
import { CliError, UsageError } from "./errors.ts";
import type { Io } from "./io.ts";
import type { RegistryFlags } from "./registry_options.ts";
import { version } from "./version.ts";

/** What opening registries takes from a run. */
export interface RegistrySurroundings {
  env: Io["env"];
  stdin: Io["stdin"];
  /** Told of each request that will be repeated. */
  onRetry?: (retry: Retry) => void;
  /** Told of each answer. */
  onAnswer?: (answer: RegistryAnswer) => void;
}

const hostsFolders = ["/etc/containerd/certs.d", "/etc/docker/certs.d"];

const helperTimeoutMs = 30_000;
const maxPasswordBytes = 64 * 1024;

/**
 * Opens the way to registries. `--user` is for the registry of `reference` alone.
 *
 * @throws {UsageError} when flags do not go together.
 */
export async function openRegistryFor(
  reference: string,
  flags: RegistryFlags,
  { env, stdin, onRetry, onAnswer }: RegistrySurroundings,
): Promise<Registry> {
  const tls = await tlsOf(flags);
  const { plainHttp, hostsDir } = flags;
  return openRegistry({
    userAgent: `davit/${version}`,
    credentials: await credentialsFor(reference, flags, { env, stdin }),
    hosts: configuredHosts(hostsDir.length > 0 ? hostsDir : hostsFolders, localFiles, { plainHttp, tls }),
    plainHttp,
    tls,
    onRetry,
    onAnswer,
  });
}

async function credentialsFor(
  reference: string,
  { user, passwordStdin }: RegistryFlags,
  { env, stdin }: Pick<RegistrySurroundings, "env" | "stdin">,
): Promise<Credentials> {
  if (user?.includes(":")) {
    throw new UsageError(
      "Cannot take a password in --user: everybody on the machine can read it",
      "give it on stdin: --user NAME --password-stdin",
    );
  }
  if ((user !== undefined) !== passwordStdin) {
    throw new UsageError("--user and --password-stdin go together", "--user NAME --password-stdin < FILE");
  }
  const configured = configCredentials(credentialsFiles(env), localCredentials);
  if (user === undefined) return configured;
  const given = fixedCredentials(parseReference(reference).domain, {
    username: user,
    password: await readPassword(stdin()),
  });
  return async (request) => await given(request) ?? await configured(request);
}

/** Where docker and podman keep what a login left, in the order in which it counts. */
export function credentialsFiles(env: Io["env"]): string[] {
  const own = env("REGISTRY_AUTH_FILE");
  if (own !== undefined) return [own];
  const docker = env("DOCKER_CONFIG");
  const run = env("XDG_RUNTIME_DIR");
  const home = env("HOME");
  const config = env("XDG_CONFIG_HOME") ?? (home === undefined ? undefined : join(home, ".config"));
  return [
    ...(docker === undefined ? [] : [join(docker, "config.json")]),
    ...(run === undefined ? [] : [join(run, "containers/auth.json")]),
    ...(config === undefined ? [] : [join(config, "containers/auth.json")]),
    ...(docker !== undefined || home === undefined ? [] : [join(home, ".docker/config.json")]),
  ];
}

async function readPassword(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of stream) {
    text += decoder.decode(bytes, { stream: true });
    if (text.length > maxPasswordBytes) break;
  }
  const password = text.replace(/\r?\n$/, "");
  if (password === "") throw new UsageError("Cannot read a password: stdin is empty");
  return password;
}

async function tlsOf({ ca, cert, key, skipVerify }: RegistryFlags): Promise<TlsSettings> {
  if ((cert === undefined) !== (key === undefined)) throw new UsageError("--cert and --key go together");
  return {
    ...(ca.length > 0 && { ca: await Promise.all(ca.map(readGiven)) }),
    ...(cert !== undefined && key !== undefined && {
      client: { cert: await readGiven(cert), key: await readGiven(key) },
    }),
    ...(skipVerify && { skipVerify }),
  };
}

async function readGiven(path: string): Promise<string> {
  const text = await readIfThere(path);
  if (text === undefined) throw new UsageError(`Cannot read ${JSON.stringify(path)}: no such file`);
  return text;
}

const localFiles: HostFiles = {
  readFile: readIfThere,
  async listFolder(path) {
    const names: string[] = [];
    try {
      for await (const { name } of Deno.readDir(path)) names.push(name);
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw error;
    }
    return names;
  },
};

const localCredentials: CredentialsSource = { readFile: readIfThere, runHelper };

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
}

/** Docker's protocol for helpers; what one says on stderr is kept to itself. */
async function runHelper(name: string, server: string): Promise<{ code: number; stdout: string }> {
  const program = `docker-credential-${name}`;
  const refuse = (reason: string) =>
    new CliError(`Cannot get credentials for ${JSON.stringify(server)}: ${program} ${reason}`, {
      code: "unauthenticated",
    });
  let child;
  try {
    child = new Deno.Command(program, {
      args: ["get"],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
  } catch (error) {
    throw refuse(isAbsent(error) ? "is not installed" : "cannot be run");
  }
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(refuse(`did not answer within ${helperTimeoutMs / 1000} s`)),
    helperTimeoutMs,
  );
  const fed = feed(child.stdin, server);
  const pieces = child.stdout.getReader();
  try {
    const decoder = new TextDecoder();
    let stdout = "";
    for (;;) {
      const { done, value } = await Promise.race([pieces.read(), late]);
      if (done) break;
      stdout += decoder.decode(value, { stream: true });
      if (stdout.length > maxPasswordBytes) throw refuse("says too much");
    }
    const { code } = await Promise.race([child.status, late]);
    return { code, stdout };
  } finally {
    clearTimeout(timer);
    await pieces.cancel(); // programs that the helper has started may hold the other end
    await end(child);
    await fed;
  }
}

/** A helper that has said what counts, or did not in time, is not needed any more. */
async function end(child: Deno.ChildProcess): Promise<void> {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has ended by itself.
  }
  await child.status;
}

async function feed(stdin: WritableStream<Uint8Array<ArrayBuffer>>, text: string): Promise<void> {
  try {
    await ReadableStream.from([new TextEncoder().encode(text)]).pipeTo(stdin);
  } catch {
    // A helper need not read it all; its answer says what came of it.
  }
}
