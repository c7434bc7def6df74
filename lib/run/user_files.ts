/** Looks into a snapshot for the files that say who its users are. */
import type { UserFiles } from "../oci/spec/user.ts";
import type { Mount } from "../snapshots.ts";
import { readLayered } from "./layered.ts";
import { readRooted } from "./rooted.ts";

const maxBytes = 4 * 1024 * 1024;

/**
 * The files of users and groups in a snapshot with the given mounts.
 *
 * @throws {Error} when it has to be mounted for that and cannot be, for which root is needed.
 */
export async function readUserFiles(mounts: readonly Mount[]): Promise<UserFiles> {
  return await readUnmounted(mounts) ?? await readMounted(mounts);
}

/** `undefined` where the folders on the disk do not tell. */
async function readUnmounted(mounts: readonly Mount[]): Promise<UserFiles | undefined> {
  const [mount, ...more] = mounts;
  const isPlain = mount?.type === "overlay" || (mount?.type === "bind" && mount.source.startsWith("/"));
  if (!isPlain || more.length > 0) return undefined;
  const layers = mount.type === "overlay" ? layersOf(mount) : [mount.source];
  const read = (name: string) => readLayered(layers, ["etc", name], { maxBytes });
  const [passwd, group] = await Promise.all([read("passwd"), read("group")]);
  return passwd === "unclear" || group === "unclear" ? undefined : { passwd: passwd.text, group: group.text };
}

/** Mounts it where only one program sees it, which does nothing but wait: however we end, so does the mount. */
async function readMounted(mounts: readonly Mount[]): Promise<UserFiles> {
  const target = await Deno.makeTempDir({ prefix: "davit-view-" });
  try {
    await using view = await openView(mounts, target);
    return await readUserFilesBelow(view.root);
  } finally {
    await Deno.remove(target);
  }
}

/** The files of users and groups below a folder. */
export async function readUserFilesBelow(root: string): Promise<UserFiles> {
  const read = (path: string) => readRooted(root, path, { maxBytes });
  const [passwd, group] = await Promise.all([read("/etc/passwd"), read("/etc/group")]);
  return { passwd, group };
}

interface View extends AsyncDisposable {
  /** The way into it from here. */
  root: string;
}

/** Mounts what its arguments describe, says so, and waits for the end of its input. */
const script = `set -e
target=$1; shift
while [ $# -gt 0 ]; do cd "$1"; mount -t "$2" -o "$3" -- "$4" "$target"; shift 4; done
echo ready
exec cat`;

async function openView(mounts: readonly Mount[], target: string): Promise<View> {
  const words = mounts.flatMap(wordsFor);
  const keeper = new Deno.Command("unshare", {
    args: ["--mount", "--propagation", "private", "sh", "-c", script, "sh", target, ...words],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const complaint = new Response(keeper.stderr).text();
  const output = keeper.stdout.getReader();
  const close = async () => {
    await keeper.stdin.close();
    await output.cancel();
    await complaint;
    await keeper.status;
  };
  const { value } = await output.read();
  if (value === undefined) {
    await close().catch(() => {});
    throw new Error(
      `Cannot look for users in the image: ${
        (await complaint).trim().split("\n")[0] || "it cannot be mounted"
      }`,
    );
  }
  return { root: `/proc/${keeper.pid}/root${target}`, [Symbol.asyncDispose]: close };
}

/** The folder to mount from, and type, options and source for mount(8). */
function wordsFor({ type, source, options }: Mount): string[] {
  if (type !== "overlay") {
    const kept = options.filter((option) => option !== "rw" && option !== "ro");
    return ["/", type === "bind" ? "none" : type, ["ro", ...kept].join(","), source];
  }
  const layers = layersOf({ options });
  // Without a folder to write to it is read-only.
  const others = options.filter((option) => !/^((upper|lower|work)dir=|rw$|ro$|volatile$)/.test(option));
  if (layers.length === 1) return ["/", "none", "ro,bind", layers[0]!];
  // The kernel takes a page of options, and many layers are long when each has its whole path.
  const folder = commonFolder(layers);
  const lower = layers.map((layer) => layer.slice(folder.length)).join(":");
  return [folder, type, ["ro", ...others, `lowerdir=${lower}`].join(","), source];
}

/** The folders of an overlay, the topmost first: what was written to it lies above what it was made of. */
function layersOf({ options }: Pick<Mount, "options">): string[] {
  const valuesOf = (name: string) =>
    options.filter((option) => option.startsWith(`${name}=`)).map((option) => option.slice(name.length + 1));
  return [...valuesOf("upperdir"), ...valuesOf("lowerdir").flatMap((folders) => folders.split(":"))];
}

function commonFolder(paths: readonly string[]): string {
  let folder = paths[0]!.slice(0, paths[0]!.lastIndexOf("/") + 1);
  while (!paths.every((path) => path.startsWith(folder))) {
    folder = folder.slice(0, folder.lastIndexOf("/", folder.length - 2) + 1);
  }
  return folder;
}
