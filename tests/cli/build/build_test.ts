import { assert, assertEquals } from "@std/assert";
import { dirname, join, relative } from "@std/path";
import { buildApp, filesIn, mainModule } from "../../../cli/build/build.ts";
import { launchArguments } from "../../../cli/build/launch.ts";
import { importWithCtr, ociArchive, randomImage } from "../../real/images.ts";
import { run } from "../../real/process.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";

const folder = await Deno.makeTempDir({ prefix: "davit-build-" });
const app = join(folder, "app");

Deno.test.beforeAll(() => buildApp(app));
Deno.test.afterAll(() => Deno.remove(folder, { recursive: true }));

/** The code of a bundle's modules, by their paths in it. */
async function modulesOf(bundle: string): Promise<Map<string, string>> {
  const paths = (await filesIn(bundle)).filter((path) => path.endsWith(".js"));
  const entries = paths.map(async (path): Promise<[string, string]> => [
    relative(bundle, path),
    await Deno.readTextFile(path),
  ]);
  return new Map(await Promise.all(entries));
}

/** All that is loaded together with a module. */
function closure(module: string, modules: Map<string, string>, into: Set<string> = new Set()): Set<string> {
  if (into.has(module)) return into;
  into.add(module);
  for (
    const [, specifier = ""] of (modules.get(module) ?? "").matchAll(/\b(?:import|from) ?"([\w./:@-]+)"/g)
  ) {
    closure(specifier.startsWith(".") ? join(dirname(module), specifier) : specifier, modules, into);
  }
  return into;
}

/** The modules that load a part of node. */
function nodes(modules: Map<string, string>): string[] {
  return [...modules.keys()].filter((module) =>
    [...closure(module, modules)].some((name) => name.startsWith("node:"))
  );
}

Deno.test("buildApp() has davit start without node's modules and without what speaks to containerd", async () => {
  const modules = await modulesOf(app);
  const started = [...closure(mainModule, modules)];
  assertEquals(started.filter((name) => !modules.has(name)), []);
  assertEquals(started.filter((name) => modules.get(name)!.includes("containerd.services.")), []);
});

Deno.test("buildApp() has davit complete nouns, verbs and flags without what speaks to containerd", async () => {
  const modules = await modulesOf(app);
  const entry = [...modules.keys()].filter((name) => /^complete-[^/]*\.js$/.test(name));
  assertEquals(entry.length, 1);
  const loaded = [...closure(entry[0]!, modules)];
  assertEquals(loaded.filter((name) => !modules.has(name)), []);
  assertEquals(loaded.filter((name) => modules.get(name)!.includes("containerd.services.")), []);
});

Deno.test("buildApp() has what runs containers in a few modules, without what speaks to registries", async () => {
  const modules = await modulesOf(app);
  const [entry, ...others] = [...modules].filter(([, code]) => code.includes("both --rm and --detach"));
  assertEquals(others, []);
  const loaded = [...closure(entry![0], modules)];
  assertEquals(loaded.filter((name) => modules.get(name)!.includes("async challenged(")), []);
  assert(loaded.length < 12, loaded.join(" ")); // one by one they were 46
});

Deno.test("buildApp() has grpc-js in a module of its own, beside the few that need node", async () => {
  const modules = await modulesOf(app);
  const holders = [...modules].filter(([, code]) => code.includes("GRPC_VERBOSITY")).map(([name]) => name);
  assertEquals(holders.length, 1);
  assertEquals(nodes(modules).includes(holders[0]!), true);
  // What hashes as it reads may be shared: nothing that starts or lists does.
  const shared = nodes(modules).filter((name) => name.startsWith("chunk-"));
  const parts = shared.flatMap((name) =>
    [...closure(name, modules)].filter((name) => name.startsWith("node:"))
  );
  assertEquals([...new Set(parts)].filter((name) => name !== "node:crypto"), []);
});

realTest("verbs of single calls run from a bundle that lacks all that needs node", async (_t, containerd) => {
  const bare = join(folder, "bare");
  await run("cp", ["-r", app, bare]);
  for (const name of nodes(await modulesOf(bare))) await Deno.remove(join(bare, name));
  const socket = join(folder, "containerd.sock"); // Deno keeps what is in /dev to programs that may do everything
  await Deno.symlink(containerd.address, socket);
  const davit = async (...args: string[]) =>
    (await run(Deno.execPath(), [...launchArguments(bare), "--address", socket, ...args])).stdout;

  const namespace = uniqueNamespace();
  const image = await randomImage();
  await importWithCtr(containerd, namespace, ociArchive([image]));
  assertEquals((await davit("namespaces", "list", "-q")).split("\n").includes(namespace), true);
  assertEquals(await davit("-n", namespace, "images", "list", "-q"), `${image.name}\n`);
}, { series: ["2"] });

Deno.test("buildApp() makes a bundle that everybody may run", async () => {
  assertEquals((await Deno.stat(app)).mode! & 0o777, 0o755);
});

Deno.test("buildApp() takes the shipped plugins over as they are", async () => {
  const source = new URL("../../../plugins/image_sync.ts", import.meta.url);
  assertEquals(
    await Deno.readTextFile(join(app, "plugins/image_sync.ts")),
    await Deno.readTextFile(source),
  );
});
