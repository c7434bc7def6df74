import { assert, assertEquals } from "@std/assert";
import { dirname, join, relative } from "@std/path";
import { buildApp, filesIn, mainModule } from "../../../cli/build/build.ts";

const app = await Deno.makeTempDir({ prefix: "davit-build-" });

Deno.test.beforeAll(() => buildApp(app));
Deno.test.afterAll(() => Deno.remove(app, { recursive: true }));

/** The modules of the bundle, by their paths in it. */
async function modules(): Promise<Map<string, string>> {
  const paths = (await filesIn(app)).filter((path) => path.endsWith(".js"));
  return new Map(
    await Promise.all(paths.map(async (path): Promise<[string, string]> => [
      relative(app, path),
      await Deno.readTextFile(path),
    ])),
  );
}

const eager = /\b(?:import|from) ?"([^"]+)"/g;
const lazy = /\bimport\("([^"]+)"\)/g;

/** What a module imports as soon as it is loaded, or when it comes to it. */
function importsOf(path: string, code: string, pattern: RegExp): string[] {
  return [...code.matchAll(pattern)].map(([, specifier = ""]) =>
    specifier.startsWith(".") ? join(dirname(path), specifier) : specifier
  );
}

/** All that is loaded together with a module. */
function closure(path: string, all: Map<string, string>, into: Set<string> = new Set()): Set<string> {
  if (into.has(path)) return into;
  into.add(path);
  for (const target of importsOf(path, all.get(path) ?? "", eager)) closure(target, all, into);
  return into;
}

Deno.test("buildApp() leaves node's modules and grpc-js to one module that is loaded on demand", async () => {
  const all = await modules();
  const grpc = [...all.keys()].filter((path) => path.startsWith("grpc-"));
  assertEquals(grpc.length, 1);
  const isNode = (name: string) => name.startsWith("node:");
  const users = [...all].filter(([path, code]) => importsOf(path, code, eager).some(isNode));
  assertEquals(users.map(([path]) => path), grpc);
  const lazily = [...all].filter(([path, code]) => importsOf(path, code, lazy).includes(grpc[0]!));
  assert(lazily.length > 0);
  for (const path of all.keys()) {
    if (path !== grpc[0]) assertEquals(closure(path, all).has(grpc[0]!), false, path);
  }
});

Deno.test("buildApp() has davit start without what speaks to containerd", async () => {
  const all = await modules();
  const speakers = [...all].filter(([, code]) => code.includes("containerd.services.")).map(([path]) => path);
  assert(speakers.length > 0);
  const started = closure(mainModule, all);
  assertEquals(speakers.filter((path) => started.has(path)), []);
});

Deno.test("buildApp() takes the shipped plugins over as they are", async () => {
  const source = new URL("../../../plugins/image_sync.ts", import.meta.url);
  assertEquals(
    await Deno.readTextFile(join(app, "plugins/image_sync.ts")),
    await Deno.readTextFile(source),
  );
});
