import { join } from "@std/path";
import type { Release } from "./releases.ts";
import { run } from "./process.ts";

const PREFIX = "davit-test-";

/** Makes a folder for a daemon, named after this process so that a later one can tell when it is abandoned. */
export async function makeRoot(): Promise<string> {
  return await Deno.makeTempDir({ prefix: `${PREFIX}${Deno.pid}-${await startTicks(Deno.pid)}-` });
}

/** Removes what test processes that were killed have left behind. */
export async function sweepAbandoned(release: Release): Promise<void> {
  const parent = Deno.env.get("TMPDIR") || "/tmp";
  for await (const { name } of Deno.readDir(parent)) {
    const [, pid, ticks] = new RegExp(`^${PREFIX}(\\d+)-(\\d+)-`).exec(name) ?? [];
    if (pid === undefined || await startTicks(Number(pid)) === ticks) continue;
    await removeLeftovers(join(parent, name), release);
  }
}

/** Ends and removes all that a daemon under `root` leaves when it dies: clients, shims, containers, mounts and files. */
export async function removeLeftovers(root: string, release: Release): Promise<void> {
  await killProcessesOf(root);
  for (const bundle of await bundlesUnder(root)) await removeContainer(bundle, { root, release });
  for (const mount of (await mountsUnder(root)).reverse()) {
    await run("umount", ["--lazy", mount], { check: false });
  }
  await removeFolder(root);
}

/** Processes that were given a path under `root`, such as a shim its daemon's socket. */
export async function processesOf(root: string): Promise<number[]> {
  const pids: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name) || name === String(Deno.pid)) continue;
    const command = await readIfThere(`/proc/${name}/cmdline`);
    if (command.includes(`${root}/`)) pids.push(Number(name));
  }
  return pids;
}

/** Mount points under `root`, parents first. */
export async function mountsUnder(root: string): Promise<string[]> {
  const table = await Deno.readTextFile("/proc/self/mountinfo");
  return table.split("\n").map((line) => line.split(" ")[4] ?? "").filter((path) =>
    path.startsWith(`${root}/`)
  );
}

async function killProcessesOf(root: string): Promise<void> {
  for (const pid of await processesOf(root)) {
    try {
      Deno.kill(pid, "SIGKILL");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

interface Bundle {
  namespace: string;
  id: string;
  path: string;
}

async function bundlesUnder(root: string): Promise<Bundle[]> {
  const tasks = join(root, "state/io.containerd.runtime.v2.task");
  const bundles: Bundle[] = [];
  for (const namespace of await foldersIn(tasks)) {
    for (const id of await foldersIn(join(tasks, namespace))) {
      bundles.push({ namespace, id, path: join(tasks, namespace, id) });
    }
  }
  return bundles;
}

/** What containerd does itself for a shim that died: the shim's delete command kills and forgets the container. */
async function removeContainer(
  { namespace, id, path }: Bundle,
  { root, release }: { root: string; release: Release },
): Promise<void> {
  const socket = await readIfThere(join(path, "address"));
  const target = [
    "-namespace",
    namespace,
    "-id",
    id,
    "-address",
    join(root, "containerd.sock"),
    "-bundle",
    path,
  ];
  await run(join(release.bin, "containerd-shim-runc-v2"), [...target, "delete"], {
    cwd: path,
    env: { PATH: release.path },
    check: false,
  });
  if (socket.startsWith("unix://")) await removeFolder(socket.slice("unix://".length));
}

async function foldersIn(path: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

async function removeFolder(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    // Another process may sweep the same folder, and a root that is a mount point itself belongs to the test.
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.Busy)) throw error;
  }
}

/** When a process started, in clock ticks since boot: with the pid, an identity that is not reused. */
async function startTicks(pid: number): Promise<string | undefined> {
  const stat = await readIfThere(`/proc/${pid}/stat`);
  // The second field is the program's name and may hold spaces and brackets; the 22nd is the start time.
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch {
    // A process that ends while it is read fails with one of several codes.
    return "";
  }
}
