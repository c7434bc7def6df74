import { dirname, join } from "@std/path";
import { abandonedFolders, removeAbandoned } from "../../lib/run/fifos.ts";
import { run } from "./process.ts";
import type { Release } from "./releases.ts";

const PREFIX = "davit-test-";

/** Where containerd's shims, runc and ctr keep things, whatever folder the daemon was given. */
const RUN_FOLDER = "/run/containerd";

/** What the machine must have to spare for daemons to live in memory. */
const MEMORY_NEEDED = 8 * 1024 ** 3;

/** Makes a folder for a daemon, named after this process so that a later one can tell when it is abandoned. */
export async function makeRoot(): Promise<string> {
  const prefix = `${PREFIX}${Deno.pid}-${await startTicks(Deno.pid)}-`;
  const root = await Deno.makeTempDir({ dir: parentOfRoots(), prefix });
  // containerd syncs all that it writes, and tests would wait for the disk. Who sets $TMPDIR wants that folder's.
  if (!Deno.env.get("TMPDIR") && Deno.systemMemoryInfo().available >= MEMORY_NEEDED) {
    await run("mount", ["-t", "tmpfs", "-o", "mode=700", "davit-test", root], { check: false });
  }
  return root;
}

function parentOfRoots(): string {
  return Deno.env.get("TMPDIR") || "/tmp";
}

/** Removes what test processes that were killed have left behind. */
export async function sweepAbandoned(release: Release): Promise<void> {
  const parent = parentOfRoots();
  for (const name of await namesIn(parent)) {
    const [, pid, ticks] = new RegExp(`^${PREFIX}(\\d+)-(\\d+)-`).exec(name) ?? [];
    if (pid === undefined || await startTicks(Number(pid)) === ticks) continue;
    const root = join(parent, name);
    using claim = await openIfThere(root);
    // Another process may be at it; once that is done, nothing is left to do.
    await claim?.lock(true);
    await removeLeftovers(root, release);
  }
  for (const folder of await abandonedFolders(60_000)) await removeAbandoned(folder).catch(() => {});
}

/** Ends and removes all that a daemon under `root` leaves when it dies: shims, containers, mounts and files. */
export async function removeLeftovers(root: string, release: Release): Promise<void> {
  const pids = await processesOf(root);
  const fifos = await Promise.all(pids.map(fifoFoldersOf));
  for (const pid of pids) kill(pid);
  for (const folder of new Set(fifos.flat())) await remove(folder, { recursive: true });

  const tasks = join(root, "state/io.containerd.runtime.v2.task");
  for (const namespace of await namesIn(tasks)) {
    const ids = await namesIn(join(tasks, namespace));
    await Promise.all(
      ids.map((id) => removeContainer(join(tasks, namespace, id), { namespace, id, root, release })),
    );
    for (const folder of await namespaceFolders(namespace)) await removeGroups(folder);
  }
  for (const mount of (await mountsUnder(root)).reverse()) {
    await run("umount", ["--lazy", mount], { check: false });
  }
  await remove(root, { recursive: true });
}

/** Removes the folders that shims make for themselves outside of any root, if nobody uses them. */
export async function removeSharedFolders(): Promise<void> {
  for (const name of ["fifo", "s", "runc", ""]) await remove(join(RUN_FOLDER, name));
}

/** Processes that were given a path under `root`, such as a shim its daemon's socket. */
export async function processesOf(root: string): Promise<number[]> {
  const pids = (await namesIn("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const commands = await Promise.all(pids.map((pid) => readIfThere(`/proc/${pid}/cmdline`)));
  return pids.filter((pid, index) => pid !== Deno.pid && commands[index]?.includes(`${root}/`));
}

/** Mount points at and under `root`, parents first. */
export async function mountsUnder(root: string): Promise<string[]> {
  const table = await Deno.readTextFile("/proc/self/mountinfo");
  return table.split("\n").map((line) => line.split(" ")[4] ?? "").filter((path) =>
    `${path}/`.startsWith(`${root}/`)
  );
}

/** Does what containerd does for a shim that died: the shim's delete command ends and forgets the container. */
async function removeContainer(
  bundle: string,
  { namespace, id, root, release }: { namespace: string; id: string; root: string; release: Release },
): Promise<void> {
  // 1.x notes the shim's socket in the first file, 2.x in the second.
  const notes = await readIfThere(join(bundle, "address")) +
    await readIfThere(join(bundle, "bootstrap.json"));
  const target = [
    "-namespace",
    namespace,
    "-id",
    id,
    "-address",
    join(root, "containerd.sock"),
    "-bundle",
    bundle,
  ];
  await run(join(release.bin, "containerd-shim-runc-v2"), [...target, "delete"], {
    cwd: bundle,
    env: { PATH: release.path },
    check: false,
  });
  const [, socket] = /unix:\/\/([^"\s]+)/.exec(notes) ?? [];
  if (socket !== undefined) await remove(socket);
}

/** Folders of the named pipes that ctr or davit made for a shim's containers and that nobody removes. */
async function fifoFoldersOf(pid: number): Promise<string[]> {
  const handles = (await namesIn(`/proc/${pid}/fd`)).map((name) => `/proc/${pid}/fd/${name}`);
  const paths = await Promise.all(handles.map((handle) => Deno.readLink(handle).catch(() => "")));
  const isPipe = (path: string) => path.startsWith(`${RUN_FOLDER}/fifo/`) || path.startsWith("/run/davit/");
  return paths.filter(isPipe).map((path) => dirname(path));
}

/** Where runc and the kernel keep a namespace's containers: empty once these are gone, and removed by nobody. */
async function namespaceFolders(namespace: string): Promise<string[]> {
  const groups = "/sys/fs/cgroup";
  const hierarchies = [groups, ...(await namesIn(groups)).map((name) => join(groups, name))];
  return [join(RUN_FOLDER, "runc", namespace), ...hierarchies.map((path) => join(path, namespace))];
}

/** Removes a control group with those in it, as far as no process is left in one. */
async function removeGroups(folder: string): Promise<void> {
  for (const { name, isDirectory } of await entriesOf(folder)) {
    if (isDirectory) await removeGroups(join(folder, name));
  }
  await remove(folder);
}

function kill(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return (await entriesOf(folder)).map(({ name }) => name);
}

async function entriesOf(folder: string): Promise<Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(folder));
  } catch {
    // Not there, not a folder, or of a process that has ended.
    return [];
  }
}

async function remove(path: string, options?: Deno.RemoveOptions): Promise<void> {
  try {
    await Deno.remove(path, options);
  } catch (error) {
    // Somebody else may have removed it, still use it, or, for a root, have mounted it.
    if (!expected(error)) throw error;
  }
}

function expected(error: unknown): boolean {
  const { NotFound, NotADirectory, Busy } = Deno.errors;
  if ([NotFound, NotADirectory, Busy].some((kind) => error instanceof kind)) return true;
  return error instanceof Error && "code" in error && ["EBUSY", "ENOTEMPTY"].includes(String(error.code));
}

/** When a process started, in clock ticks since boot: with the pid, an identity that is not reused. */
async function startTicks(pid: number): Promise<string | undefined> {
  const stat = await readIfThere(`/proc/${pid}/stat`);
  // The second field is the program's name and may hold spaces and brackets; the state and the rest come after it.
  const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return state === "Z" ? undefined : fields[18];
}

async function openIfThere(path: string): Promise<Deno.FsFile | undefined> {
  try {
    return await Deno.open(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch {
    // A process that ends while it is read fails with one of several codes.
    return "";
  }
}
