/** What of this machine, on which containerd runs, goes into a container. */
import { join } from "@std/path";
import type { HostFacts } from "../oci/spec.ts";
import { capabilitiesOf } from "../oci/spec/capabilities.ts";
import type { RuntimeDevice } from "../oci/spec/runtime_spec.ts";
import { quoted } from "../oci/quoted.ts";

/** Devices that a container has of its own, or that are none. */
const skipped = new Set(["pts", "shm", "fd", "mqueue", "console", ".lxc", ".lxd-mounts", ".udev"]);

/**
 * Looks for what a container is to have of the host: devices at the given paths (of a folder all that are in it), and
 * for a privileged one all devices and capabilities; the host's name for one in its network.
 *
 * @throws {Deno.errors.NotFound} when there is no such device.
 * @throws {SyntaxError} when a path is that of something else.
 */
export async function readHost(
  { devices = [], privileged = false, hostNetwork = false }: {
    devices?: readonly string[];
    privileged?: boolean;
    hostNetwork?: boolean;
  },
): Promise<HostFacts> {
  const found = [];
  if (privileged) found.push(...await devicesIn("/dev"));
  for (const path of devices) found.push(...await devicesAt(path));
  return {
    hostname: hostNetwork ? Deno.hostname() : "", // which a sandbox would not let us know
    capabilities: privileged ? await ownCapabilities() : [],
    devices: [...new Map(found.map((device) => [device.path, device])).values()],
  };
}

/** What this process may do is what it can hand on. */
async function ownCapabilities(): Promise<string[]> {
  const status = await Deno.readTextFile("/proc/self/status");
  return capabilitiesOf(BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`));
}

async function devicesAt(path: string): Promise<RuntimeDevice[]> {
  const info = await Deno.stat(path).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Deno.errors.NotFound(`Cannot use device ${quoted(path)}: no such file`);
  });
  if (info.isDirectory) return await devicesIn(path);
  const device = deviceOf(path, info);
  if (device === undefined) throw new SyntaxError(`Cannot use device ${quoted(path)}: it is none`);
  return [device];
}

async function devicesIn(folder: string): Promise<RuntimeDevice[]> {
  const found: RuntimeDevice[] = [];
  for await (const { name, isDirectory, isSymlink } of Deno.readDir(folder)) {
    if (skipped.has(name) || isSymlink) continue;
    const path = join(folder, name);
    const info = isDirectory ? undefined : await Deno.lstat(path).catch(() => undefined); // gone meanwhile
    const device = info && deviceOf(path, info);
    if (isDirectory) found.push(...await devicesIn(path));
    else if (device) found.push(device);
  }
  return found;
}

function deviceOf(
  path: string,
  { isCharDevice, isBlockDevice, rdev, mode, uid, gid }: Deno.FileInfo,
): RuntimeDevice | undefined {
  if (!isCharDevice && !isBlockDevice) return undefined;
  // Linux spreads the two numbers over the bits of one.
  const number = BigInt(rdev ?? 0);
  return {
    path,
    type: isCharDevice ? "c" : "b",
    major: Number(((number >> 8n) & 0xfffn) | ((number >> 32n) & ~0xfffn)),
    minor: Number((number & 0xffn) | ((number >> 12n) & ~0xffn)),
    fileMode: (mode ?? 0o600) & 0o777,
    uid: uid ?? 0,
    gid: gid ?? 0,
  };
}
