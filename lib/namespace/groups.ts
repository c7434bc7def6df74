import { join } from "@std/path";

/** Where the kernel shows control groups. */
export const defaultGroups = "/sys/fs/cgroup";

/** Where the containers of a namespace have groups: in one folder, or before version 2 in one for each controller. */
export async function groupFolders(namespace: string, groups: string = defaultGroups): Promise<string[]> {
  const isUnified = await isThere(join(groups, "cgroup.controllers"));
  const hierarchies = isUnified ? [groups] : (await foldersIn(groups)).map((name) => join(groups, name));
  const folders: string[] = [];
  for (const hierarchy of hierarchies) {
    const folder = join(hierarchy, namespace);
    if (await isThere(folder)) folders.push(folder);
  }
  return folders;
}

/**
 * Removes the control group of a namespace, which its containers leave, from this machine; one with processes or other
 * groups in it stays, and without rights every one does.
 */
export async function removeGroup(namespace: string, groups: string = defaultGroups): Promise<void> {
  for (const folder of await groupFolders(namespace, groups)) {
    await Deno.remove(folder).catch(() => {});
  }
}

/** The names of the folders in one; none of what is gone or not to be seen. */
export async function foldersIn(folder: string): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(folder));
    return entries.filter(({ isDirectory }) => isDirectory).map(({ name }) => name);
  } catch {
    return [];
  }
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
