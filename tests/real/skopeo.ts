import { join } from "@std/path";
import { debianPackage } from "./debian.ts";
import { type Output, run, type RunOptions } from "./process.ts";

/** What skopeo needs and a small machine lacks, under the names of the releases of Debian. */
const libraries = [["libgpgme11", "libgpgme11t64"], ["libassuan0", "libassuan9"]];

/** Runs Debian's skopeo, another program that knows registries. */
export async function skopeo(args: string[], options: RunOptions = {}): Promise<Output> {
  const program = join(await debianPackage("skopeo"), "usr/bin/skopeo");
  const folders: string[] = [];
  for (const names of libraries) {
    for (const name of names) {
      const folder = await debianPackage(name).catch(() => undefined);
      if (folder === undefined) continue;
      folders.push(join(folder, `usr/lib/${Deno.build.arch}-linux-gnu`));
      break;
    }
  }
  return await run(program, args, {
    ...options,
    env: { LD_LIBRARY_PATH: folders.join(":"), ...options.env },
  });
}
