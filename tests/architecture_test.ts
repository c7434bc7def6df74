import { assertEquals } from "@std/assert";
import { basename, fromFileUrl, join, relative } from "@std/path";

const root = fromFileUrl(new URL("..", import.meta.url));
const modules = [
  "mod.ts",
  ...["cli", "lib", "plugins", "proto/gen"].flatMap((folder) => [...sourceFiles(folder)]),
];
const graph = await importsOf(modules);

/** What each part may import, the first rule that fits. Modules of npm count under their specifier. */
const rules: readonly [part: RegExp, mayImport: RegExp][] = [
  [/^proto\/gen\//, /^(proto\/gen\/|npm:@bufbuild\/protobuf)/],
  [/^lib\/std\//, /^(lib\/std\/|npm:deno-std@)/],
  [/^lib\//, /^(lib\/|proto\/gen\/|npm:|node:)/],
  [/^mod\.ts$/, /^lib\//],
  [/^plugins\/templates\/.*_test/, /^(mod\.ts$|lib\/testing\.ts$|plugins\/templates\/sample_plugin\.ts)/],
  [/^plugins\//, /^mod\.ts$/],
  [/^cli\/build\/reference/, /^(cli\/|mod\.ts$|lib\/std\/|deno\.json$)/],
  [/^cli\/build\//, /^(cli\/build\/|cli\/version\.ts$|deno\.json$|lib\/std\/|npm:|node:)/],
  [/^cli\/plugin\/test_worker/, /^(cli\/plugin\/|mod\.ts$|lib\/testing\.ts$)/],
  [/^cli\//, /^(cli\/(?!build\/)|mod\.ts$|lib\/host\.ts$|lib\/std\/|npm:yaml@|deno\.json$)/],
];

Deno.test("imports follow the layers of ARCHITECTURE.md", () => {
  const wrong = [...graph].flatMap(([module, imports]) => {
    const rule = rules.find(([part]) => part.test(module));
    return rule
      ? imports.filter((target) => !rule[1].test(target)).map((target) => `${module} → ${target}`)
      : [];
  });
  assertEquals(wrong, []);
});

Deno.test("grpc-js is loaded by one module, and that one on demand only", () => {
  const users = [...graph].filter(([, imports]) => imports.some((target) => target.startsWith("npm:@grpc/")));
  assertEquals(users.map(([module]) => module), ["lib/transport/grpc.ts"]);
  const importers = modules.filter((module) => /^import (?!type).*\/grpc\.ts"/m.test(read(module)));
  assertEquals(importers, []);
});

Deno.test("the process is ended in cli/main.ts alone, and touched through cli/io.ts alone", () => {
  const program = modules.filter((module) =>
    !module.startsWith("cli/build/") && !module.startsWith("proto/")
  );
  const found = (pattern: RegExp, except: string[]) =>
    program.filter((module) => !except.includes(module) && pattern.test(code(module)));
  assertEquals(found(/\bDeno\.exit\b/, ["cli/main.ts"]), []);
  assertEquals(found(/\bconsole\./, []), []);
  assertEquals(found(/\bDeno\.(std(in|out|err)|env|args|consoleSize)\b/, ["cli/io.ts", "cli/main.ts"]), []);
});

Deno.test("mod.ts only re-exports", () => {
  const rest = code("mod.ts").replace(/^export (type )?\{[^}]*\} from "[^"]+";$/gm, "").trim();
  assertEquals(rest, "");
});

Deno.test("modules hold no state of their own", () => {
  const own = modules.filter((module) => !module.startsWith("proto/"));
  assertEquals(own.filter((module) => /^(export )?(let|var) /m.test(code(module))), []);
});

Deno.test("files are named after a concept, and small", () => {
  const own = modules.filter((module) => !/^(proto|lib\/std)\//.test(module));
  assertEquals(
    own.filter((module) =>
      // A verb's file has the verb's name.
      !module.startsWith("cli/verbs/") && /^(utils?|helpers?|common|types|shared)\.ts$/.test(basename(module))
    ),
    [],
  );
  const lines = (module: string) => read(module).split("\n").length;
  assertEquals(own.filter((module) => lines(module) > 400), []);
  assertEquals(own.filter((module) => module.startsWith("cli/verbs/") && lines(module) > 100), []);
});

function* sourceFiles(folder: string): Iterable<string> {
  for (const { name, isDirectory } of Deno.readDirSync(join(root, folder))) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* sourceFiles(path);
    else if (/\.(ts|js)$/.test(name) && !name.endsWith(".d.ts")) yield path;
  }
}

/** The direct imports of each module, static and dynamic, as paths in the project or specifiers of npm. */
async function importsOf(modules: string[]): Promise<Map<string, string[]>> {
  const imports = new Map<string, string[]>();
  for (const module of modules) {
    if (imports.has(module)) continue; // it was in the graph of another
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", join(root, module)],
      cwd: root,
    }).output();
    const info = JSON.parse(new TextDecoder().decode(stdout)) as ModuleGraph;
    for (const { specifier, dependencies = [] } of info.modules) {
      const targets = dependencies.map(({ specifier, code, type }) =>
        code?.specifier ?? type?.specifier ?? specifier
      );
      imports.set(within(specifier), targets.map(within));
    }
  }
  return imports;
}

interface ModuleGraph {
  modules: {
    specifier: string;
    dependencies?: { specifier: string; code?: { specifier: string }; type?: { specifier: string } }[];
  }[];
}

function within(specifier: string): string {
  return specifier.startsWith("file:") ? relative(root, fromFileUrl(specifier)) : specifier;
}

function read(module: string): string {
  return Deno.readTextFileSync(join(root, module));
}

/** A module without its comments, which may speak of anything. */
function code(module: string): string {
  return read(module).replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, "");
}
