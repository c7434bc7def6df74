import { dirname, join, relative } from "@std/path";

const barrel = "mod.ts";

/** What a bundle is made from. */
const parts = ["cli", "lib", "plugins", "proto", barrel, "deno.json", "deno.lock"];

/**
 * Copies the sources into a folder, where each module imports what it takes from `mod.ts` directly from where that
 * is. A bundler has to load everything that `mod.ts` names, for its effects, before anything that imports one of it.
 */
export async function copySources(project: string, folder: string): Promise<void> {
  const origins = originsIn(await Deno.readTextFile(join(project, barrel)));
  for (const part of parts) await copy(part, { project, folder, origins });
}

type Origins = ReadonlyMap<string, string>;

/** The module of each name that `mod.ts` exports. */
function originsIn(code: string): Origins {
  const exports = code.matchAll(/^export (?:type )?\{([^}]*)\} from "\.\/([^"]+)";$/gm);
  return new Map(
    [...exports].flatMap(([, names = "", module = ""]) =>
      namesIn(names).map((name) => [name.replace("type ", ""), module])
    ),
  );
}

async function copy(
  path: string,
  { project, folder, origins }: { project: string; folder: string; origins: Origins },
): Promise<void> {
  const source = join(project, path);
  if ((await Deno.stat(source)).isDirectory) {
    await Deno.mkdir(join(folder, path));
    for await (const { name } of Deno.readDir(source)) {
      await copy(join(path, name), { project, folder, origins });
    }
  } else if (path.startsWith("cli/") && path.endsWith(".ts")) {
    await Deno.writeTextFile(
      join(folder, path),
      withDirectImports(await Deno.readTextFile(source), { path, origins }),
    );
  } else {
    await Deno.copyFile(source, join(folder, path));
  }
}

function withDirectImports(code: string, { path, origins }: { path: string; origins: Origins }): string {
  return code.replace(/^import (type )?\{([^}]*)\} from "(?:\.\.\/)+mod\.ts";$/gm, (_, type = "", names) => {
    const direct = namesIn(names).map((name) => {
      const module = relative(dirname(path), origins.get(name.replace("type ", ""))!);
      return `import ${type}{ ${name} } from "${module}";`;
    });
    return direct.join(" ");
  });
}

function namesIn(list: string): string[] {
  return list.split(",").map((name) => name.trim()).filter((name) => name !== "");
}
