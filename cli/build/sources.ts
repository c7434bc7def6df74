import { dirname, join, relative } from "@std/path";

/** What only re-exports, see {@linkcode copySources}. */
const barrels = ["mod.ts", "lib/host.ts"];

/** What a bundle is made from. */
const parts = ["cli", "lib", "plugins", "proto", "mod.ts", "deno.json", "deno.lock"];

/**
 * Copies the sources into a folder, where each module imports what it takes from a barrel directly from where that is. A
 * bundler has to load everything that a barrel names, for its effects, before anything that imports one of it.
 */
export async function copySources(project: string, folder: string): Promise<void> {
  const origins: Origins = new Map(
    await Promise.all(barrels.map(async (path) => {
      const code = await Deno.readTextFile(join(project, path));
      return [path, originsIn(code, dirname(path))] as const;
    })),
  );
  for (const part of parts) await copy(part, { project, folder, origins });
}

/** The module of each name that a barrel exports, by barrel. */
type Origins = ReadonlyMap<string, ReadonlyMap<string, string>>;

function originsIn(code: string, folder: string): ReadonlyMap<string, string> {
  const exports = code.matchAll(/^export (?:type )?\{([^}]*)\} from "\.\/([^"]+)";$/gm);
  return new Map(
    [...exports].flatMap(([, names = "", module = ""]) =>
      namesIn(names).map((name) => [name.replace("type ", ""), join(folder, module)])
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
  return code.replace(
    /^import (type )?\{([^}]*)\} from "((?:\.\.\/)+[\w/]+\.ts)";$/gm,
    (whole, type = "", names, target) => {
      const modules = origins.get(join(dirname(path), target));
      if (modules === undefined) return whole;
      const direct = namesIn(names).map((name) => {
        const module = relative(dirname(path), modules.get(name.replace("type ", ""))!);
        return `import ${type}{ ${name} } from "${module}";`;
      });
      return direct.join(" ");
    },
  );
}

function namesIn(list: string): string[] {
  return list.split(",").map((name) => name.trim()).filter((name) => name !== "");
}

/** What help, completion and the reading of settings need as well as verbs, and is small. */
const shared = ["cli/table.ts", "lib/std/path.js"];

/** What nearly every run of a verb needs. */
const hot = ["cli/connection.ts", "cli/render.ts", "proto/gen/google/protobuf/timestamp.ts"];

/**
 * Gathers what the program starts with, and what is hot, in one chunk each instead of dozens, of which each would take
 * its time to load. A bundler puts into one chunk what the same entries need: so every entry is made to import all that
 * the program starts with, and one that needs anything hot to import all of that.
 */
export async function gather(
  folder: string,
  { main, entries }: { main: string; entries: readonly string[] },
): Promise<void> {
  const gathered = { "start.ts": [...await importsOf(main, folder), ...shared], "hot.ts": hot };
  for (const [name, modules] of Object.entries(gathered)) {
    await Deno.writeTextFile(join(folder, name), modules.map((path) => `import "./${path}";\n`).join(""));
  }
  const warm = (await closureOf(hot, folder)).difference(await closureOf([main, ...shared], folder));
  for (const entry of new Set([...entries, ...await dynamicEntries(folder)])) {
    const isCold = !entry.startsWith("proto/") && warm.isDisjointFrom(await closureOf([entry], folder));
    const names = isCold ? ["start.ts"] : Object.keys(gathered);
    const path = join(folder, entry);
    const imports = names.map((name) => `import "./${relative(dirname(path), join(folder, name))}";\n`);
    await Deno.writeTextFile(path, imports.join("") + await Deno.readTextFile(path));
  }
}

/** All that is loaded together with modules. */
async function closureOf(modules: readonly string[], folder: string): Promise<Set<string>> {
  const closure = new Set(modules);
  for (const module of closure) {
    if (!module.endsWith(".ts")) continue;
    for (const imported of await importsOf(module, folder)) closure.add(imported);
  }
  return closure;
}

/** The modules that one imports statically, by their paths in the folder. */
async function importsOf(module: string, folder: string): Promise<string[]> {
  const code = await Deno.readTextFile(join(folder, module));
  const imports = code.matchAll(/(?:^|; )(?:import|export) (?!type )[^;]*? from "(\.[^"]+)";/gm);
  return [...imports].map(([, path = ""]) => join(dirname(module), path));
}

/** The modules that others load when they need them. */
async function dynamicEntries(folder: string): Promise<string[]> {
  const entries: string[] = [];
  for (const part of ["cli", "lib"]) {
    for (const path of await modulesIn(join(folder, part))) {
      for (const [, target = ""] of (await Deno.readTextFile(path)).matchAll(/\bimport\("(\.[^"]+)"\)/g)) {
        entries.push(relative(folder, join(dirname(path), target)));
      }
    }
  }
  return entries;
}

async function modulesIn(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) paths.push(...await modulesIn(path));
    else if (name.endsWith(".ts")) paths.push(path);
  }
  return paths;
}
