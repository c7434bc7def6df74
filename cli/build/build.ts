/**
 * `deno task build`: bundles davit into `dist/app`, which Deno runs as it is and which the other tasks pack.
 *
 * Verbs, the plugins' worker and the module that plugins import as `davit` come out of one build, so that they
 * share their chunks and every class is there once.
 */
import { dirname, fromFileUrl, join } from "@std/path";
import config from "../../deno.json" with { type: "json" };
import { copySources, gather } from "./sources.ts";
import { runTask } from "./task.ts";
import { makeTypes } from "./declarations.ts";

/** The folder that holds everything the build tasks make. */
export const distFolder: string = fromFileUrl(new URL("../../dist/", import.meta.url));

/** Where {@linkcode buildApp} puts the bundle if not told otherwise. */
export const appFolder: string = join(distFolder, "app");

/** The module that starts davit, in the bundle's folder. */
export const mainModule = "cli/main.js";

/** The configuration that the bundle runs with, in its folder. */
export const configFile = "deno.json";

const workerModule = "cli/plugin/worker.js";

const testWorkerModule = "cli/plugin/test_worker.js";

const typesModule = "types.js";

const projectFolder = fromFileUrl(new URL("../../", import.meta.url));

const main = "cli/main.ts";
const entries = [main, "cli/plugin/worker.ts", "cli/plugin/test_worker.ts", "mod.ts", "lib/testing.ts"];

/** Bundles davit into `folder`, replacing what is there once all is done. */
export async function buildApp(folder: string = appFolder): Promise<void> {
  const parent = dirname(folder);
  await Deno.mkdir(parent, { recursive: true });
  const unfinished = await Deno.makeTempDir({ dir: parent });
  try {
    await bundle(unfinished);
    await withoutNode(unfinished);
    await preloadDavit(join(unfinished, workerModule));
    await copyPlugins(join(projectFolder, "plugins"), join(unfinished, "plugins"));
    await writeTypes(join(unfinished, typesModule));
    await Deno.writeTextFile(join(unfinished, configFile), JSON.stringify(appConfig()));
    await Deno.chmod(unfinished, 0o755); // a temporary folder is its user's alone
    await removeIfThere(folder);
    await Deno.rename(unfinished, folder);
  } finally {
    await removeIfThere(unfinished);
  }
}

async function bundle(folder: string): Promise<void> {
  const sources = await Deno.makeTempDir({ prefix: "davit-sources-" });
  try {
    await copySources(projectFolder, sources);
    await gather(sources, { main, entries });
    await bundleSources(sources, folder);
  } finally {
    await Deno.remove(sources, { recursive: true });
  }
}

async function bundleSources(sources: string, folder: string): Promise<void> {
  // External: the specifier must stay as it is, for the configuration to point it to the one `mod.js`.
  const flags = ["--quiet", "--code-splitting", "--minify", "--external=davit", `--outdir=${folder}`];
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", ...flags, ...entries],
    cwd: sources,
    env: { DENO_NO_UPDATE_CHECK: "1" },
  }).spawn().status;
  if (!success) throw new Error("Cannot build davit: deno bundle failed");
}

/**
 * Takes `node:module` out of the chunk that all others import, where it gives a `require` to CommonJS packages: every
 * start would load it, and they ask for node's own modules only.
 */
async function withoutNode(folder: string): Promise<void> {
  const eager = /import\{createRequire as (\w+)\} ?from ?"node:module";var (\w+)=\1\(import\.meta\.url\);/;
  let count = 0;
  for (const path of await filesIn(folder)) {
    const code = await Deno.readTextFile(path);
    if (!eager.test(code)) continue;
    await Deno.writeTextFile(path, code.replace(eager, "var $2=name=>process.getBuiltinModule(name);"));
    count++;
  }
  if (count !== 1) throw new Error(`Cannot build davit: ${count} chunks, not 1, define "require"`);
}

/** What plugins import has to be there before them: the worker's permissions do not let them read it. */
async function preloadDavit(worker: string): Promise<void> {
  await Deno.writeTextFile(worker, `import "davit";\n${await Deno.readTextFile(worker)}`);
}

/** As they are: they import `davit` like anybody's, and their users read them. */
async function copyPlugins(source: string, folder: string): Promise<void> {
  await Deno.mkdir(folder);
  for await (const { name, isDirectory } of Deno.readDir(source)) {
    if (isDirectory) await copyPlugins(join(source, name), join(folder, name));
    else if (name.endsWith(".ts")) await Deno.copyFile(join(source, name), join(folder, name));
  }
}

/** What `davit plugin types` writes. */
async function writeTypes(module: string): Promise<void> {
  const declarations = JSON.stringify(await makeTypes(projectFolder));
  await Deno.writeTextFile(module, `export const declarations=${declarations};\n`);
}

function appConfig(): unknown {
  return {
    imports: {
      "davit": "./mod.js",
      "davit/testing": "./lib/testing.js",
      "davit/plugin-worker": `./${workerModule}`,
      "davit/plugin-test-worker": `./${testWorkerModule}`,
      "davit/plugins/": "./plugins/",
      "davit/types": `./${typesModule}`,
    },
    // Lazy: otherwise Deno reads the files of all verbs before it runs the first line.
    unstable: [...config.unstable, "lazy-dynamic-imports"],
  };
}

/** The paths of all files in a folder and those below, sorted. */
export async function filesIn(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) paths.push(...await filesIn(path));
    else paths.push(path);
  }
  return paths.sort();
}

async function removeIfThere(folder: string): Promise<void> {
  try {
    await Deno.remove(folder, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

if (import.meta.main) {
  await runTask(async () => {
    await buildApp();
    return [appFolder];
  });
}
