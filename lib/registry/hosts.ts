import { join } from "@std/path";
import { quoted } from "../oci/quoted.ts";
import type { Hosts, RegistryHost } from "./host.ts";
import { defaultHost } from "./host.ts";
import type { HostEntry } from "./hosts_toml.ts";
import type { TlsSettings } from "./wire.ts";

/** What reading the configuration of hosts takes from the outside. */
export interface HostFiles {
  /** The text of a file; `undefined` when there is none. */
  readFile(path: string): Promise<string | undefined>;
  /** The names in a folder; `undefined` when there is none. */
  listFolder(path: string): Promise<readonly string[] | undefined>;
}

/**
 * Hosts from folders as containerd and docker use them (`/etc/containerd/certs.d`): one for each registry, with a
 * `hosts.toml`, or with certificates alone (`*.crt` of authorities, `*.cert` and `*.key` of ours). The first folder
 * that knows the registry counts; `_default` serves for the others.
 *
 * ```ts
 * import { configuredHosts, openRegistry } from "davit";
 *
 * async function example() {
 *   const readFile = (path: string) => Deno.readTextFile(path).catch(() => undefined);
 *   const listFolder = (path: string) =>
 *     Array.fromAsync(Deno.readDir(path), ({ name }) => name).catch(() => undefined);
 *   const hosts = configuredHosts(["/etc/containerd/certs.d"], { readFile, listFolder });
 *   await using registry = openRegistry({ hosts });
 *   return await registry.resolve("busybox:1.36");
 * }
 * ```
 *
 * @see {@link https://github.com/containerd/containerd/blob/main/docs/hosts.md}
 * @throws {SyntaxError} (the function returned does) when a file is malformed.
 */
export function configuredHosts(
  folders: readonly string[],
  files: HostFiles,
  defaults: { plainHttp?: boolean | undefined; tls?: TlsSettings | undefined } = {},
): Hosts {
  return async (registry) => {
    const named = folders.flatMap((folder) => folderNames(registry).map((name) => join(folder, name)));
    for (const folder of [...named, ...folders.map((folder) => join(folder, "_default"))]) {
      const names = await files.listFolder(folder);
      if (names === undefined) continue;
      return await hostsIn(folder, names, { registry, files, defaults });
    }
  };
}

/** Colons are not for every file system. */
function folderNames(registry: string): string[] {
  const port = /^(.+):(\d+)$/.exec(registry);
  return port ? [`${port[1]}_${port[2]}_`, registry] : [registry];
}

async function hostsIn(
  folder: string,
  names: readonly string[],
  { registry, files, defaults }: {
    registry: string;
    files: HostFiles;
    defaults: { plainHttp?: boolean | undefined; tls?: TlsSettings | undefined };
  },
): Promise<readonly RegistryHost[]> {
  const read = async (path: string) => {
    const text = await files.readFile(join(folder, path)); // join leaves an absolute path below the folder
    if (text === undefined) {
      throw new SyntaxError(`Cannot use ${quoted(path)} of ${quoted(folder)}: no such file`);
    }
    return text;
  };
  if (!names.includes("hosts.toml")) {
    const tls = { ...defaults.tls, ...await certificatesIn(names, read) };
    return [defaultHost(registry, { ...defaults, tls })];
  }
  const path = join(folder, "hosts.toml");
  const { parseHostsToml } = await import("./hosts_toml.ts"); // few have one, and TOML is long
  const hosts = parseHostsToml(await read("hosts.toml"), path);
  const readAny = async (file: string) =>
    file.startsWith("/") ? await absolute(file, files) : await read(file);
  return await Promise.all(hosts.map(async ({ url, capabilities, headers, ...host }) => {
    const tls = { ...defaults.tls, ...await tlsOf(host, readAny) };
    if (url === undefined) return { ...defaultHost(registry, { ...defaults, tls }), headers };
    return { url, capabilities, headers, tls };
  }));
}

async function absolute(path: string, files: HostFiles): Promise<string> {
  const text = await files.readFile(path);
  if (text === undefined) throw new SyntaxError(`Cannot use ${quoted(path)}: no such file`);
  return text;
}

async function tlsOf(
  { ca, client, skipVerify }: Pick<HostEntry, "ca" | "client" | "skipVerify">,
  read: (path: string) => Promise<string>,
): Promise<TlsSettings> {
  return {
    ...(ca.length > 0 && { ca: await Promise.all(ca.map(read)) }),
    ...(client && { client: { cert: await read(client.cert), key: await read(client.key) } }),
    ...(skipVerify !== undefined && { skipVerify }),
  };
}

async function certificatesIn(
  names: readonly string[],
  read: (path: string) => Promise<string>,
): Promise<TlsSettings> {
  const authorities = names.filter((name) => name.endsWith(".crt")).toSorted();
  const cert = names.filter((name) => name.endsWith(".cert")).toSorted()[0];
  const key = cert?.replace(/\.cert$/, ".key");
  return {
    ...(authorities.length > 0 && { ca: await Promise.all(authorities.map(read)) }),
    ...(cert !== undefined && { client: { cert: await read(cert), key: await read(key!) } }),
  };
}
