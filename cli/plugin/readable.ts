/** What a plugin may read of the folder that it is in. */
import { join } from "@std/path";
import type { PluginFile } from "./file.ts";

/** How much is looked at: a plugin may be in a folder that holds half of a disk. */
const mostEntries = 2_000;

/** A folder as far as it was looked at. */
interface Looked {
  path: string;
  files: string[];
  folders: Looked[];
  /** Nothing in it leads out, and nothing was left out. */
  isWhole: boolean;
}

/**
 * The paths that the code of a plugin may read: its folder, without links that lead out of it. Deno judges by the path
 * that is asked for, whatever it leads to. Folders for which there are too many files above them are left out. Nothing else
 * goes on meanwhile: many small questions one after the other take a tenth of the time so.
 */
export function readableBeside({ folder, path }: PluginFile): string[] {
  const top: Looked = { path: folder, files: [], folders: [], isWhole: true };
  const all = [top]; // grows; those at the top come first
  let left = mostEntries;
  for (const looked of all) {
    const entries = entriesOf(looked.path);
    left -= entries?.length ?? 0;
    looked.isWhole = entries !== undefined && left >= 0;
    if (!looked.isWhole) continue;
    for (const { name, isDirectory, isSymlink } of entries!) {
      const path = join(looked.path, name);
      if (isDirectory) {
        const inner: Looked = { path, files: [], folders: [], isWhole: true };
        looked.folders.push(inner);
        all.push(inner);
      } else if (isSymlink && !leadsToFileIn(folder, path)) looked.isWhole = false;
      else looked.files.push(path);
    }
  }
  for (const looked of all.toReversed()) looked.isWhole &&= looked.folders.every(({ isWhole }) => isWhole);
  return [path, ...readableIn(top)];
}

function readableIn({ path, files, folders, isWhole }: Looked): string[] {
  return isWhole ? [path] : [...files, ...folders.flatMap(readableIn)];
}

function entriesOf(folder: string): Deno.DirEntry[] | undefined {
  try {
    return [...Deno.readDirSync(folder)];
  } catch {
    return undefined; // the plugin may not read it either
  }
}

function leadsToFileIn(folder: string, link: string): boolean {
  try {
    const path = Deno.realPathSync(link);
    return path.startsWith(folder) && Deno.statSync(path).isFile;
  } catch {
    return false; // it leads nowhere yet
  }
}
