import { resolve } from "@std/path";
import { UsageError } from "./errors.ts";

/** Where containerd listens unless told otherwise. */
export const defaultAddress = "/run/containerd/containerd.sock";

/** Where distributions and Docker run a containerd of their own. */
const otherAddresses: readonly [string, string][] = [
  ["k3s or rke2", "/run/k3s/containerd/containerd.sock"],
  ["docker", "/run/docker/containerd/containerd.sock"],
  ["docker", "/var/run/docker/containerd/containerd.sock"],
];

/** The longest path of a unix socket, in bytes. */
const longestPath = 107;

/**
 * The absolute path of a socket that is given as a path, relative or not, or as `unix://` and a path.
 *
 * @throws {UsageError} when it cannot be one.
 */
export function socketPath(address: string): string {
  const path = address.replace(/^unix:(\/\/)?/, "");
  if (path === "" || /^[a-z][a-z+.-]*:\/\//i.test(path)) {
    throw new UsageError(`Cannot use address ${JSON.stringify(address)}: expected the path of a unix socket`);
  }
  const absolute = resolve(Deno.cwd(), path);
  const bytes = new TextEncoder().encode(absolute).length;
  if (bytes > longestPath) {
    throw new UsageError(
      `Cannot use address ${JSON.stringify(address)}: ${bytes} bytes, a unix socket may have ${longestPath}`,
    );
  }
  return absolute;
}

/** What to do when no containerd answers at `path`: names the sockets that are there. */
export async function hintForUnreachable(path: string): Promise<string> {
  for (const [owner, address] of otherAddresses) {
    if (address !== path && await isSocket(address)) return `${owner} has one: --address ${address}`;
  }
  if (await isSocket(path)) return "is containerd running?";
  return "name containerd's socket with --address or $CONTAINERD_ADDRESS";
}

/** What to do without rights on the socket at `path`. */
export async function hintForDenied(path: string): Promise<string> {
  const file = await Deno.stat(path).catch(() => undefined);
  const groupMayWrite = file?.gid && ((file.mode ?? 0) & 0o060) === 0o060;
  return `run davit as root${groupMayWrite ? `, or as a member of the group ${file.gid}` : ""}`;
}

async function isSocket(path: string): Promise<boolean> {
  const file = await Deno.stat(path).catch(() => undefined);
  return file?.isSocket ?? false;
}
