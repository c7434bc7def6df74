import { quoted } from "../oci/quoted.ts";
import { dockerHubHosts } from "./host.ts";

/** How somebody is known to a registry. */
export type Credential =
  | { username: string; password: string }
  /** What a login left instead of a password; it gets tokens, and nothing else. */
  | { identityToken: string }
  /** A token that the registry takes as it is. */
  | { registryToken: string };

/** For what a credential is wanted. */
export interface CredentialRequest {
  /** The host of the registry or mirror, with its port: `docker.io`, `localhost:5000`. */
  host: string;
  /** The repository: `library/busybox`. */
  repository: string;
}

/** Finds a credential; `undefined` where nobody has one. Asked only when a registry wants to know. */
export type Credentials = (request: CredentialRequest) => Promise<Credential | undefined>;

/** What reading credentials takes from the outside. */
export interface CredentialsSource {
  /** The text of a file; `undefined` when there is none. */
  readFile(path: string): Promise<string | undefined>;
  /** Runs `docker-credential-NAME get` with the server on its stdin; resolves to what it said and its exit code. */
  runHelper(name: string, server: string): Promise<{ code: number; stdout: string }>;
}

/**
 * One credential for one host, as given on a command line.
 *
 * ```ts
 * import { fixedCredentials, openRegistry } from "davit";
 *
 * async function example(password: string) {
 *   const credentials = fixedCredentials("registry.example.com", { username: "ci", password });
 *   await using registry = openRegistry({ credentials });
 *   return await registry.resolve("registry.example.com/app:1");
 * }
 * ```
 */
export function fixedCredentials(host: string, credential: Credential): Credentials {
  return (request) => Promise.resolve(sameHost(request.host, host) ? credential : undefined);
}

/**
 * Credentials from files as docker (`config.json`) and podman (`auth.json`) write them; the first file that has one
 * counts. In each, a helper for the host comes first, then the helper for everything, then what stands in the file,
 * of which the most specific counts: `host/path/repository` before `host/path` before `host`.
 *
 * ```ts
 * import { configCredentials, openRegistry } from "davit";
 *
 * async function example(home: string) {
 *   const readFile = (path: string) => Deno.readTextFile(path).catch(() => undefined);
 *   const runHelper = () => Promise.resolve({ code: 1, stdout: "" }); // without helpers
 *   const credentials = configCredentials([`${home}/.docker/config.json`], { readFile, runHelper });
 *   await using registry = openRegistry({ credentials });
 *   return await registry.resolve("registry.example.com/app:1");
 * }
 * ```
 *
 * @see {@link https://docs.docker.com/reference/cli/docker/login/}
 * @see {@link https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md}
 */
export function configCredentials(paths: readonly string[], source: CredentialsSource): Credentials {
  const files = new Map<string, Promise<CredentialsFile | undefined>>();
  const fileAt = (path: string) => {
    const file = files.get(path) ??
      source.readFile(path).then((text) => text === undefined ? undefined : parseCredentialsFile(text, path));
    files.set(path, file);
    return file;
  };
  return async (request) => {
    for (const path of paths) {
      const file = await fileAt(path);
      const found = file && (await fromHelper(file, request, source) ?? fromFile(file, request, path));
      if (found) return found;
    }
  };
}

interface CredentialsFile {
  auths: ReadonlyMap<string, Record<string, unknown>>;
  credHelpers: ReadonlyMap<string, string>;
  credsStore: string | undefined;
}

/** @throws {SyntaxError} when the text is no such file; the text itself is in no error. */
function parseCredentialsFile(text: string, path: string): CredentialsFile {
  const refuse = (reason: string) => new SyntaxError(`Cannot read credentials in ${quoted(path)}: ${reason}`);
  let json: unknown;
  try {
    json = text.trim() === "" ? {} : JSON.parse(text);
  } catch {
    throw refuse("not valid JSON"); // whose message would quote the text
  }
  if (!isRecord(json)) throw refuse("not a JSON object");
  const { auths = {}, credHelpers = {}, credsStore } = json;
  if (!isRecord(auths)) throw refuse("auths is not an object");
  if (!isRecord(credHelpers)) throw refuse("credHelpers is not an object");
  const helpers = Object.entries(credHelpers).filter(([, name]) => typeof name === "string" && name !== "");
  return {
    auths: new Map(
      Object.entries(auths).filter((entry): entry is [string, Record<string, unknown>] => isRecord(entry[1])),
    ),
    credHelpers: new Map(helpers as [string, string][]),
    credsStore: typeof credsStore === "string" && credsStore !== "" ? credsStore : undefined,
  };
}

async function fromHelper(
  { credHelpers, credsStore }: CredentialsFile,
  request: CredentialRequest,
  source: CredentialsSource,
): Promise<Credential | undefined> {
  const [key, name] = mostSpecific(credHelpers, request) ?? [undefined, undefined];
  if (key !== undefined) {
    const found = await askHelper(name, serverOf(key.includes("/") ? request.host : key), source);
    if (found) return found;
  }
  return credsStore === undefined ? undefined : await askHelper(credsStore, serverOf(request.host), source);
}

/** The key under which docker keeps what is for Docker Hub; all others go by their host. */
function serverOf(host: string): string {
  return dockerHubHosts.has(host) ? "https://index.docker.io/v1/" : host;
}

async function askHelper(
  name: string,
  server: string,
  source: CredentialsSource,
): Promise<Credential | undefined> {
  const refuse = (reason: string) =>
    new SyntaxError(`Cannot get credentials for ${quoted(server)} from helper ${quoted(name)}: ${reason}`);
  if (!/^[a-z0-9][a-z0-9_-]*$/i.test(name)) throw refuse("not the name of a helper");
  const { code, stdout } = await source.runHelper(name, server);
  if (code !== 0) {
    // The rest of what helpers say may hold what they should not.
    if (/credentials not found/i.test(stdout)) return undefined;
    throw refuse(`exit ${code}`);
  }
  let answer: unknown;
  try {
    answer = JSON.parse(stdout);
  } catch {
    throw refuse("its answer is not JSON");
  }
  const { Username: username, Secret: secret } = isRecord(answer) ? answer : {};
  if (typeof username !== "string" || typeof secret !== "string") throw refuse("its answer lacks a secret");
  if (username === "" && secret === "") return undefined;
  return username === "<token>" ? { identityToken: secret } : { username, password: secret };
}

function fromFile(
  { auths }: CredentialsFile,
  request: CredentialRequest,
  path: string,
): Credential | undefined {
  const [key, entry] = mostSpecific(auths, request) ?? [];
  if (key === undefined || entry === undefined) return undefined;
  const text = (name: string) => typeof entry[name] === "string" ? entry[name] as string : "";
  if (text("identitytoken")) return { identityToken: text("identitytoken") };
  if (text("registrytoken")) return { registryToken: text("registrytoken") };
  if (text("auth")) {
    const decoded = decodeBase64(text("auth"));
    const colon = decoded?.indexOf(":") ?? -1;
    if (decoded === undefined || colon < 1) {
      throw new SyntaxError(
        `Cannot read credentials in ${quoted(path)}: those of ${quoted(key)} are malformed`,
      );
    }
    return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1).replace(/\0+$/, "") };
  }
  return text("username") ? { username: text("username"), password: text("password") } : undefined;
}

/** The entry whose key is the longest of those that the repository lies under. */
function mostSpecific<Value>(
  entries: ReadonlyMap<string, Value>,
  { host, repository }: CredentialRequest,
): [string, Value] | undefined {
  let best: [string, Value] | undefined;
  let bestLength = -1;
  for (const [key, value] of entries) {
    const { host: keyHost, path } = splitKey(key);
    if (!sameHost(keyHost, host)) continue;
    const isWithin = path === "" || repository === path || repository.startsWith(`${path}/`);
    if (!isWithin || path.length <= bestLength) continue;
    best = [key, value];
    bestLength = path.length;
  }
  return best;
}

/** Keys are hosts, podman's also with a path, old docker's URLs of which only the host counts. */
function splitKey(key: string): { host: string; path: string } {
  const url = /^https?:\/\/([^/]*)/.exec(key);
  if (url) return { host: url[1] ?? "", path: "" };
  const [host = "", ...path] = key.split("/");
  const isOldHub = dockerHubHosts.has(host) && path[0] === "v1";
  return { host, path: isOldHub ? "" : path.join("/").replace(/\/$/, "") };
}

function sameHost(one: string, other: string): boolean {
  return one === other || dockerHubHosts.has(one) && dockerHubHosts.has(other);
}

function decodeBase64(text: string): string | undefined {
  try {
    return new TextDecoder().decode(Uint8Array.fromBase64(text.trim()));
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
