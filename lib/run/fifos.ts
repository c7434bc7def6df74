/** Named pipes between a process in a container and us, where nobody else can reach them. */
import { dirname, join } from "@std/path";

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
  const folder = await makeFolder();
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
