import { assertEquals, assertStringIncludes } from "@std/assert";
import { PluginFolder } from "./plugin_folder.ts";
import { davit as davitProcess, type Ended } from "./program.ts";

function davit(argv: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return davitProcess(argv, { canned: true, env });
}

function named(name: string, result = name): string {
  return `export default { name: "${name}", summary: "From ${name}", run: () => "${result}" };\n`;
}

Deno.test("plugins are found in folders by the names of their files, the first of a name being run", async () => {
  await using one = await PluginFolder.create();
  await using two = await PluginFolder.create();
  await one.write("keep_last.ts", named("keep-last", "one"));
  await two.write("keep-last.ts", named("keep-last", "two"));
  await two.write("other.js", named("other"));
  await two.write("_lib.ts", "export const x = 1;\n");
  await two.write("other_test.ts", "export const x = 1;\n");
  const env = { DAVIT_PLUGIN_PATH: two.path };
  assertEquals((await davit(["keep-last"], env)).stdout, "two\n");
  assertEquals((await davit(["keep-last", "--plugin-dir", one.path], env)).stdout, "one\n");
  assertEquals((await davit(["plugin", "run", "other"], env)).stdout, "other\n");
  const listed = await davit(["plugin", "list", "--paths", `--plugin-dir=${one.path}`, "-o", "json"], env);
  const rows: { name: string; path: string; source: string; problem?: string }[] = JSON.parse(listed.stdout);
  assertEquals(rows.slice(0, 3), [
    { name: "keep-last", source: "--plugin-dir", path: `${one.path}/keep_last.ts` },
    {
      name: "keep-last",
      source: "$DAVIT_PLUGIN_PATH",
      path: `${two.path}/keep-last.ts`,
      problem: `hidden by ${one.path}/keep_last.ts`,
    },
    { name: "other", source: "$DAVIT_PLUGIN_PATH", path: `${two.path}/other.js` },
  ]);
  assertEquals(rows.some(({ name, source }) => name === "image-sync" && source === "davit"), true);
  const mistyped = await davit(["keep-lats"], env);
  assertEquals([mistyped.code, mistyped.stderr.split("\n")[1]], [2, 'hint: did you mean "keep-last"?']);
});

Deno.test("a broken plugin is listed with its place, and all others go on working", async () => {
  await using folder = await PluginFolder.create();
  await folder.write("broken.ts", "export default {\n  run() { return 1 +; },\n};\n");
  await folder.write("good.ts", named("good"));
  const env = { DAVIT_PLUGIN_PATH: folder.path };
  const { code, stdout } = await davit(["plugin", "list", "-o", "json"], env);
  const [broken, good] = JSON.parse(stdout);
  assertEquals([code, broken.problem, good.summary], [
    0,
    `${folder.path}/broken.ts:2:21: SyntaxError: Expression expected`,
    "From good",
  ]);
  assertEquals((await davit(["good"], env)).stdout, "good\n");
  assertEquals((await davit(["broken"], env)).code, 10);
});

Deno.test("a plugin never takes the place of a verb, and plugin run runs it all the same", async () => {
  await using folder = await PluginFolder.create();
  await folder.write("version.ts", named("version", "mine"));
  const env = { DAVIT_PLUGIN_PATH: folder.path };
  assertEquals((await davit(["version", "--help"], env)).stdout.includes("From version"), false);
  assertEquals((await davit(["plugin", "run", "version"], env)).stdout, "mine\n");
  const [row] = JSON.parse((await davit(["plugin", "list", "-o", "json"], env)).stdout);
  assertEquals(row.problem, 'davit has a "version" of its own: davit plugin run version');
});

Deno.test("a file with several plugins runs the one that is named behind it", async () => {
  await using folder = await PluginFolder.create();
  const path = await folder.write(
    "tools.ts",
    `export default ["one", "two"].map((name) => ({
       name, summary: "Tool " + name, args: [{ name: "X", summary: "x", optional: true }],
       options: { many: { type: "integer", default: 1, summary: "x" } },
       run: ({ args, options }) => [name, options.many, ...args].join(" "),
     }));\n`,
  );
  assertEquals((await davit([path, "two", "--many", "3", "x"])).stdout, "two 3 x\n");
  const env = { DAVIT_PLUGIN_PATH: folder.path };
  assertEquals((await davit(["tools", "one"], env)).stdout, "one 1\n");
  assertStringIncludes((await davit(["help", "tools", "one"], env)).stdout, "davit tools one: Tool one");
  const unnamed = await davit([path]);
  assertEquals([unnamed.code, unnamed.stderr.split("\n")[1]], [2, "hint: it has one, two"]);
  for (
    const argv of [[path, "--help"], ["help", path], ["-h", path], ["plugin", "run", path, "-n", "x", "-h"]]
  ) {
    const help = await davit(argv);
    assertEquals([help.code, help.stderr], [0, ""], argv.join(" "));
    assertEquals(
      help.stdout,
      `davit ${path}: Plugins of one file

Usage: davit ${path} VERB [flags] [arguments]

Verbs:
  one  Tool one
  two  Tool two
`,
    );
  }
  const wrong = await davit([path, "tow"]);
  assertEquals([wrong.code, wrong.stderr.split("\n")[1]], [2, `hint: did you mean "${path} two"?`]);
  const listed = JSON.parse((await davit(["plugin", "list", "-o", "json"], env)).stdout);
  assertEquals(listed.slice(0, 2).map(({ name }: { name: string }) => name), ["tools one", "tools two"]);
});

Deno.test({
  name: "as root, a plugin that others may change is listed and not run by its name",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    await using folder = await PluginFolder.create();
    const path = await folder.write("open.ts", named("open"));
    await Deno.chmod(path, 0o666);
    const env = { DAVIT_PLUGIN_PATH: folder.path };
    const [row] = JSON.parse((await davit(["plugin", "list", "-o", "json"], env)).stdout);
    assertEquals(row.problem, `others may write to ${path}`);
    const { code, stderr } = await davit(["open"], env);
    assertEquals([code, stderr.split("\n")[0]], [
      6,
      `davit: Cannot load plugin "open" from ${path}: others may write to ${path}`,
    ]);
    assertEquals((await davit([path])).stdout, "open\n");
  },
});
