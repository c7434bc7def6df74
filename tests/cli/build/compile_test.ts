/** What `deno compile` puts into the executable, with a base binary that only stands for the real one. */
import { assertEquals } from "@std/assert";
import { join, relative } from "@std/path";
import { buildApp, filesIn } from "../../../cli/build/build.ts";
import { compile } from "../../../cli/build/compile.ts";

/** The part of Deno's notes in an executable that the tests look at. */
interface Notes {
  permissions: Record<string, unknown>;
  workspace_resolver: { import_map: { json: string } };
  unstable_config: { features: string[] };
  entrypoint_key: string;
  code_cache_key: unknown;
}

type Entry = { File: { n: string } } | { Dir: { n: string; e: Entry[] } };

const marker = "d3n0l4ndd3n0l4nd";
const folder = await Deno.makeTempDir({ prefix: "davit-compile-" });
const app = join(folder, "app");

Deno.test.beforeAll(() => buildApp(app));
Deno.test.afterAll(() => Deno.remove(folder, { recursive: true }));

async function compiled(target?: string): Promise<{ notes: Notes; files: string[] }> {
  const output = join(folder, "davit");
  const bytes = await Deno.readFile(await compile({ app, output, target, denort: "/bin/true" }));
  const text = new TextDecoder("latin1").decode(bytes);
  const notes = sized(bytes, text.indexOf(marker) + marker.length);
  const files = sized(bytes, text.indexOf("[{", notes.end) - 8);
  return {
    notes: JSON.parse(notes.text),
    files: [...namesOf(JSON.parse(files.text))].sort(),
  };
}

/** A text that its length stands before. */
function sized(bytes: Uint8Array<ArrayBuffer>, at: number): { text: string; end: number } {
  const end = at + 8 + Number(new DataView(bytes.buffer).getBigUint64(at, true));
  return { text: new TextDecoder().decode(bytes.subarray(at + 8, end)), end };
}

function* namesOf(entries: Entry[], parent = ""): Generator<string> {
  for (const entry of entries) {
    if ("File" in entry) yield join(parent, entry.File.n);
    else yield* namesOf(entry.Dir.e, join(parent, entry.Dir.n));
  }
}

Deno.test("compile() bakes in all permissions and no prompts", async () => {
  const { notes: { permissions } } = await compiled();
  const given = Object.entries(permissions).filter(([, value]) => value !== null);
  const all = ["env", "ffi", "import", "net", "read", "run", "sys", "write"].map((
    what,
  ) => [`allow_${what}`, []]);
  assertEquals(Object.fromEntries(given), { ...Object.fromEntries(all), prompt: false });
});

Deno.test("compile() points the plugins' names into the executable", async () => {
  const { notes, files } = await compiled();
  const { imports } = JSON.parse(notes.workspace_resolver.import_map.json);
  assertEquals(Object.keys(imports).sort(), [
    "davit",
    "davit/plugin-test-worker",
    "davit/plugin-worker",
    "davit/plugins/",
    "davit/testing",
    "davit/types",
  ]);
  const missing = Object.values<string>(imports).map((target) => join(target)).filter((target) =>
    !files.some((file) => target.endsWith("/") ? file.startsWith(target) : file === target)
  );
  assertEquals(missing, []);
  assertEquals(notes.entrypoint_key, "cli/main.js");
  // Deno ends a process that asks for something unstable without its flag, be it in the worker of a plugin.
  const features = ["worker-options", "net", "vsock"];
  assertEquals(features.filter((feature) => !notes.unstable_config.features.includes(feature)), []);
});

Deno.test("compile() embeds the whole bundle and no code cache, for every Linux target", async () => {
  const bundle = (await filesIn(app)).map((path) => relative(app, path)).sort();
  for (const target of [undefined, "x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"]) {
    const { notes, files } = await compiled(target);
    assertEquals(files, bundle, target);
    assertEquals(notes.code_cache_key, null);
  }
});
