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

/**
 * What is loaded together, in one chunk each, beside what the program starts with; each group without what is in those
 * before it.
 */
const groups: Readonly<Record<string, readonly string[]>> = {
  // What help, completion and the reading of settings need as well as verbs, and is small.
  "start.ts": ["cli/table.ts", "lib/std/path.js"],
  // What nearly every run of a verb needs.
  "hot.ts": [
    "cli/connection.ts",
    "cli/labels.ts",
    "cli/render.ts",
    "lib/namespace/map.ts",
    "proto/gen/containerd/types/descriptor.ts",
    ...["any", "empty", "field_mask", "timestamp"].map((name) => `proto/gen/google/protobuf/${name}.ts`),
  ],
  // What finds images and reads their documents.
  "images.ts": ["cli/elsewhere.ts", "lib/image/rootfs.ts"],
  // What makes containers and accompanies their processes.
  "running.ts": [
    "cli/container_options.ts",
    "cli/foreground_process.ts",
    "lib/run/remove.ts",
    "lib/run/run.ts",
  ],
};

/** The groups that the codecs of containerd's services may bring with them. */
const ofCodecs = ["start.ts", "hot.ts"];

/**
 * Gathers what is loaded together in one chunk instead of dozens, of which each would take its time to load. A bundler
 * puts into one chunk what the same entries need: so every entry is made to import all that the program starts with, and
 * one that needs anything of another group to import all of that.
 */
export async function gather(
  folder: string,
  { main, entries }: { main: string; entries: readonly string[] },
): Promise<void> {
  const gathered: Gathered[] = [];
  let earlier: ReadonlySet<string> = new Set();
  for (const [name, modules] of Object.entries(groups)) {
    const members = name === "start.ts" ? [...await importsOf(main, folder), ...modules] : modules;
    await Deno.writeTextFile(join(folder, name), members.map((path) => `import "./${path}";\n`).join(""));
    const all = await closureOf(members, folder);
    gathered.unshift({ name, all, own: all.difference(earlier) });
    earlier = all.union(earlier);
  }
  for (const entry of new Set([...entries, ...await dynamicEntries(folder)])) {
    const needed = entry.startsWith("proto/")
      ? ofCodecs
      : groupsFor(await closureOf([entry], folder), gathered);
    const path = join(folder, entry);
    const imports = needed.map((name) => `import "./${relative(dirname(path), join(folder, name))}";\n`);
    await Deno.writeTextFile(path, imports.join("") + await Deno.readTextFile(path));
  }
}

interface Gathered {
  name: string;
  all: ReadonlySet<string>;
  /** Without what groups before it have. */
  own: ReadonlySet<string>;
}

/** The groups that have any of some modules, the last ones first, and then those that have any of theirs. */
function groupsFor(modules: ReadonlySet<string>, gathered: readonly Gathered[]): string[] {
  let needed = modules;
  return gathered.filter(({ name, all, own }) => {
    if (name !== "start.ts" && own.isDisjointFrom(needed)) return false;
    needed = needed.union(all);
    return true;
  }).map(({ name }) => name);
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
  const imports = code.matchAll(/(?:^|; )(?:import|export) (?!type )[^;]*? from "(\.[^"]+)"(?=;)/gm);
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
