import { dirname, join } from "@std/path";

/** How many links in a row are followed, as Linux does it. */
const maxLinks = 40;

/**
 * Reads a text file below a root as a program inside of it would: a link leads to where it leads in there, never out.
 * `undefined` when there is no such file, or it is no plain one.
 *
 * @throws {RangeError} when it is larger than `maxBytes`.
 */
export async function readRooted(
  root: string,
  path: string,
  { maxBytes }: { maxBytes: number },
): Promise<string | undefined> {
  const real = await resolveRooted(root, path);
  if (real === undefined) return undefined;
  const { isFile, size } = await Deno.lstat(real);
  if (!isFile) return undefined; // a FIFO would be waited for
  if (size > maxBytes) {
    throw new RangeError(`Cannot read "${path}" of the image: it is larger than ${maxBytes} bytes`);
  }
  return await Deno.readTextFile(real);
}

/** Where a path below a root leads to, without links; `undefined` when nothing is there. */
async function resolveRooted(root: string, path: string): Promise<string | undefined> {
  let inside = "/";
  let links = 0;
  const rest = partsOf(path);
  while (rest.length > 0) {
    const part = rest.shift()!;
    // It comes in normal form, which has no way above the root.
    const next = join(inside, part);
    const info = await Deno.lstat(join(root, next)).catch(() => undefined);
    if (info === undefined) return undefined;
    if (!info.isSymlink) {
      inside = next;
      continue;
    }
    if (++links > maxLinks) return undefined;
    const target = await Deno.readLink(join(root, next));
    inside = target.startsWith("/") ? "/" : dirname(next);
    rest.unshift(...partsOf(target));
  }
  return join(root, inside);
}

function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}
