/** Named pipes between a process in a container and us, where nobody else can reach them. */
import { basename, dirname, join } from "@std/path";

/** Where the pipes of a process are, for containerd; empty for one that there is not. */
export interface IoPaths {
  stdin: string;
  stdout: string;
  stderr: string;
}

/** Which pipes to make. */
export interface FifoOptions {
  /** One for input. */
  stdin: boolean;
  /** A terminal has no stderr of its own. */
  terminal: boolean;
}

/** The folder for those of root, which a restart of the machine empties. */
const rootsFolder = "/run/davit";

const prefix = "davit-io-";

/**
 * Makes pipes in a new folder of their own.
 *
 * @throws {Deno.errors.PermissionDenied} when the folder for such folders belongs to somebody else, or others may use it.
 */
export async function makeFifos({ stdin, terminal }: FifoOptions): Promise<IoPaths> {
  const folder = await makeFolder().catch((error) => {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    throw new Error("Cannot make named pipes in a sandbox: output can go to a file or to nowhere", {
      cause: error,
    });
  });
  const path = (name: string, wanted = true) => (wanted ? join(folder, name) : "");
  const paths = { stdin: path("stdin", stdin), stdout: path("stdout"), stderr: path("stderr", !terminal) };
  const args = ["-m", "600", ...Object.values(paths).filter((path) => path !== "")];
  const { success, stderr } = await new Deno.Command("mkfifo", { args, stdout: "null" }).output();
  if (success) return paths;
  await removeFifos(paths);
  throw new Error(`Cannot make named pipes: ${new TextDecoder().decode(stderr).trim()}`);
}

/** Removes pipes and their folder, if {@linkcode makeFifos} made them; those of others stay. */
export async function removeFifos({ stdin, stdout, stderr }: IoPaths): Promise<void> {
  const folder = dirname(stdout || stdin || stderr);
  if (!folder.split("/").at(-1)!.startsWith(prefix)) return;
  const paths = [stdin, stdout, stderr].filter((path) => path !== "" && dirname(path) === folder);
  for (const path of [...paths, folder]) {
    await Deno.remove(path).catch(() => {}); // somebody else may have been quicker
  }
}

/** Whether a path is that of a named pipe; what else containerd may know for output are URIs. */
export async function isFifo(path: string): Promise<boolean> {
  if (!path.startsWith("/")) return false;
  const { isFifo } = await Deno.lstat(path).catch(() => ({ isFifo: false }));
  return isFifo === true;
}

/**
 * Folders of pipes that nobody reads any more, older than `youngMs`: what a shim leaves that crashed, or a davit that
 * was killed before it had a container. Of those of root only.
 */
export async function abandonedFolders(youngMs: number): Promise<string[]> {
  const { openSync, closeSync, constants } = await import("node:fs");
  // As long as a container runs, its shim reads each pipe itself; without any reader, writing fails at once.
  const isRead = (path: string) => {
    try {
      closeSync(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
      return true;
    } catch (error) {
      return (error as { code?: string }).code !== "ENXIO";
    }
  };
  const abandoned: string[] = [];
  for (const folder of await entriesOf(rootsFolder)) {
    const { mtime } = await Deno.lstat(folder).catch(() => ({ mtime: null }));
    if (!basename(folder).startsWith(prefix) || Date.now() - (mtime?.getTime() ?? Infinity) < youngMs) {
      continue;
    }
    const pipes = await entriesOf(folder);
    const areFifos = await Promise.all(pipes.map(isFifo));
    if (areFifos.every(Boolean) && !pipes.some(isRead)) abandoned.push(folder);
  }
  return abandoned;
}

/** Removes a folder that {@linkcode abandonedFolders} found, unless somebody was quicker; resolves to whether it did. */
export async function removeAbandoned(folder: string): Promise<boolean> {
  if (!(await abandonedFolders(0)).includes(folder)) return false;
  for (const path of [...await entriesOf(folder), folder]) await Deno.remove(path);
  return true;
}

async function entriesOf(folder: string): Promise<string[]> {
  try {
    return await Array.fromAsync(Deno.readDir(folder), ({ name }) => join(folder, name));
  } catch {
    return []; // there is none, or it is somebody else's
  }
}

async function makeFolder(): Promise<string> {
  if (Deno.uid() !== 0) return await Deno.makeTempDir({ prefix });
  await Deno.mkdir(rootsFolder, { mode: 0o700 }).catch((error) => {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  });
  const { isDirectory, uid, mode } = await Deno.lstat(rootsFolder);
  if (!isDirectory || uid !== 0 || (mode! & 0o077) !== 0) {
    throw new Deno.errors.PermissionDenied(
      `Cannot use folder "${rootsFolder}": it has to be one of root that nobody else may use`,
    );
  }
  return await Deno.makeTempDir({ dir: rootsFolder, prefix });
}
