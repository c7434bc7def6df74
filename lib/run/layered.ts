import { join } from "@std/path";

/** What a file holds; `undefined` where there is none, `"unclear"` where only a mount can tell. */
export type LayeredText = { text: string | undefined } | "unclear";

/**
 * Reads `FOLDER/NAME` as an overlay of folders shows it, without mounting it, which takes a program and longer than all
 * else about a container. Only where one layer decides: what several say together (folders that hide those below,
 * links) is for the kernel to tell.
 *
 * @throws {RangeError} when it is larger than `maxBytes`.
 */
export async function readLayered(
  /** The topmost first. */
  layers: readonly string[],
  [folder, name]: readonly [folder: string, name: string],
  { maxBytes }: { maxBytes: number },
): Promise<LayeredText> {
  for (const [index, layer] of layers.entries()) {
    const outer = await infoOf(join(layer, folder));
    if (outer === undefined) continue; // it says nothing about the folder
    if (outer === "unclear" || !outer.isDirectory) return "unclear";
    const path = join(layer, folder, name);
    const inner = await infoOf(path);
    if (inner === undefined && index === layers.length - 1) break;
    if (inner === undefined || inner === "unclear" || !inner.isFile) return "unclear";
    if (inner.size > maxBytes) {
      throw new RangeError(
        `Cannot read "/${folder}/${name}" of the image: it is larger than ${maxBytes} bytes`,
      );
    }
    const text = await Deno.readTextFile(path);
    // One whose owner or mode has changed may have only zeros here, and its bytes further down.
    return text.includes("\0") ? "unclear" : { text };
  }
  return { text: undefined };
}

async function infoOf(path: string): Promise<Deno.FileInfo | "unclear" | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error; // and nothing could be mounted either
    return error instanceof Deno.errors.NotFound ? undefined : "unclear";
  }
}
