/** Mounts of this machine, made by its mount(8). */
import type { Mount } from "../mod.ts";
import { CliError } from "./errors.ts";

/** What the kernel takes as options is at most a page, with a zero at its end. */
const maxOptionBytes = 4095;

/** Makes the mounts of a snapshot at a folder; all or none. */
export async function mountAt(mounts: readonly Mount[], target: string): Promise<void> {
  const made: string[] = [];
  try {
    for (const mount of mounts) {
      const place = mount.target === "" ? target : `${target}/${mount.target}`;
      const { args, cwd } = mountCommand(mount, place);
      const { code, stderr } = await run("mount", args, cwd);
      if (code !== 0) throw failed(`mount at ${JSON.stringify(place)}`, stderr);
      made.push(place);
    }
  } catch (error) {
    for (const place of made.reverse()) await run("umount", [place]);
    throw error;
  }
}

/** Undoes the mount at a folder. Resolves to whether there was one. */
export async function unmountAt(target: string): Promise<boolean> {
  const { code, stderr } = await run("umount", [target]);
  if (code === 0) return true;
  if (/not mounted|no mount point/.test(stderr)) return false;
  throw failed(`unmount ${JSON.stringify(target)}`, stderr);
}

/**
 * The arguments of mount(8), and the folder to run it in: an overlay of many layers has longer options than the kernel
 * takes unless its folders are named from where they all are.
 */
export function mountCommand(
  { type, source, options }: Mount,
  target: string,
): { args: string[]; cwd?: string } {
  const isBind = options.includes("bind") || options.includes("rbind");
  const args = (all: readonly string[]) => [
    ...(isBind ? [] : ["-t", type]), // of a bind mount the kernel knows the type
    ...(all.length > 0 ? ["-o", all.join(",")] : []),
    "--",
    source,
    target,
  ];
  const lower = options.find((option) => option.startsWith("lowerdir="));
  if (lower === undefined || options.join(",").length <= maxOptionBytes) return { args: args(options) };
  const folders = lower.slice("lowerdir=".length).split(":");
  const cwd = commonFolder(folders);
  const short = `lowerdir=${folders.map((folder) => folder.slice(cwd.length)).join(":")}`;
  return { args: args(options.map((option) => (option === lower ? short : option))), cwd };
}

/** The same as a line for a shell. */
export function mountLine(mount: Mount, target: string): string {
  const place = mount.target === "" ? target : `${target}/${mount.target}`;
  const { args, cwd } = mountCommand(mount, place);
  const words = ["mount", ...args].map(shellWord).join(" ");
  return cwd === undefined ? words : `(cd ${shellWord(cwd)} && ${words})`;
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The path, with a slash at its end, that all paths begin with. */
function commonFolder(paths: readonly string[]): string {
  let common = paths[0] ?? "";
  for (const path of paths) {
    while (!path.startsWith(common)) common = common.slice(0, -1);
  }
  return common.slice(0, common.lastIndexOf("/") + 1);
}

async function run(
  program: string,
  args: string[],
  cwd?: string,
): Promise<{ code: number; stderr: string }> {
  // Newer ones pass each option by itself, and none that is longer than 255 bytes.
  const env = { LC_ALL: "C", LIBMOUNT_FORCE_MOUNT2: "always" };
  const command = new Deno.Command(program, {
    args,
    env,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    ...(cwd !== undefined && { cwd }),
  });
  const { code, stderr } = await command.output().catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new CliError(`Cannot ${program}: there is no program ${program} here`, { code: "unexpected" });
  });
  return { code, stderr: new TextDecoder().decode(stderr) };
}

function failed(action: string, stderr: string): CliError {
  const [reason = ""] = stderr.trim().split("\n");
  const code = /superuser|permission denied|not permitted/i.test(stderr) ? "permission_denied" : "unexpected";
  return new CliError(`Cannot ${action}: ${reason.replace(/^u?mount: /, "")}`, { code });
}
