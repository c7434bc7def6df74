import { assertEquals, assertMatch } from "@std/assert";
import { PluginFolder } from "./plugin_folder.ts";
import { davit } from "./program.ts";

/** Body of `run`, and what is said of it. */
const failing: readonly [criterion: string, body: string, said: string][] = [
  [
    "throws an error",
    "const n: number = 1;\nthrow new RangeError(`too ${n}`);",
    "./sample.ts:7:7: RangeError: too 1",
  ],
  ["throws an error of two lines", 'throw new Error("one\\ntwo");', "./sample.ts:6:7: one\\ntwo"],
  ["throws a text", 'throw "a text";', "a text"],
  ["throws nothing", "throw undefined;", "undefined"],
  [
    "throws later, where nobody waits",
    'setTimeout(() => { throw new Error("late"); }, 1);\nawait new Promise(() => {});',
    "./sample.ts:6:26: late",
  ],
  [
    "leaves a promise that rejects",
    'Promise.reject(new Error("floating"));\nawait new Promise(() => {});',
    "./sample.ts:6:16: floating",
  ],
  ["throws after some rows", 'yield 1;\nthrow new Error("then");', "./sample.ts:7:7: then"],
  [
    "throws in a file beside it",
    'const { fail } = await import("./lib.ts");\nfail();',
    "./lib.ts:3:9: TypeError: in a library",
  ],
  ["yields a function", "yield () => 1;", "only plain data can leave a plugin: ()=>1 could not be cloned"],
  [
    "ends the process",
    "Deno.exit(0);",
    "./sample.ts:6:6: a plugin ends by returning from run, or by throwing",
  ],
  [
    "closes its worker",
    "self.close();",
    "./sample.ts:6:6: a plugin ends by returning from run, or by throwing",
  ],
];

for (const [criterion, body, said] of failing) {
  Deno.test(`a plugin that ${criterion} exits 10 with its place`, async () => {
    await using folder = await PluginFolder.create();
    await folder.writePlugin(body);
    await folder.write(
      "lib.ts",
      'interface X { x: 1 }\nexport function fail(_x?: X) {\n  throw new TypeError("in a library");\n}\n',
    );
    const { code, stderr } = await davit(["./sample.ts"], { canned: true, cwd: folder.path });
    assertEquals([code, stderr], [10, `davit: Cannot run plugin "./sample.ts": ${said}\n`]);
  });
}

Deno.test("a plugin that throws a UsageError exits 2 with its words alone, from wherever it is thrown", async () => {
  await using folder = await PluginFolder.create();
  await folder.write(
    "sample.ts",
    `import { definePlugin, UsageError } from "davit";
export default definePlugin({
  name: "sample",
  summary: "x",
  args: [{ name: "WHEN", summary: "x" }],
  async *run({ args: [when] }) {
    if (when === "late") yield 1;
    throw new UsageError(\`Cannot begin \${when}: \\x1b[31mred\`);
  },
});
`,
  );
  for (const when of ["early", "late"]) {
    const { code, stderr } = await davit(["./sample.ts", when], { canned: true, cwd: folder.path });
    assertEquals([code, stderr], [2, `davit: Cannot begin ${when}: red\n`]);
  }
});

/** What a plugin may not do, as its code would, and the permission that it lacks. */
const denied: readonly [statement: string, permission: string][] = [
  ['await Deno.readTextFile("/etc/passwd")', "read"],
  ['(await import("node:fs")).readFileSync("/etc/passwd")', "read"],
  ['await import(["file:///etc", "passwd"].join("/"))', "read"],
  ['await Deno.writeTextFile(new URL("new", import.meta.url), "")', "write"],
  ["await Deno.remove(new URL(import.meta.url))", "write"],
  ['await Deno.connect({ hostname: "127.0.0.1", port: 80 })', "net"],
  ['await fetch("https://127.0.0.1/")', "net"],
  ['await Deno.connect({ transport: "unix", path: new URL("socket", import.meta.url).pathname })', "write"],
  ["Deno.listen({ port: 0 })", "net"],
  ['await new Deno.Command("id").output()', "run"],
  ['Deno.env.get("HOME")', "env"],
  ["Deno.hostname()", "sys"],
  ['Deno.dlopen("libc.so.6", {})', "ffi"],
  ['new Worker(import.meta.url, { type: "module", deno: { permissions: { net: true } } })', "parent"],
];

Deno.test("a plugin has none of Deno's permissions but to read its own folder", async () => {
  await using folder = await PluginFolder.create();
  const attempts = denied.map(([statement]) => `async () => { ${statement}; }`).join(",\n");
  const path = await folder.writePlugin(`
    for (const attempt of [${attempts}]) {
      yield await attempt().then(() => "done", (error) => \`\${error.name}: \${error.message}\`);
    }
    yield await Deno.readTextFile(new URL(import.meta.url)).then(() => "read");`);
  const { code, stdout } = await davit([path], { canned: true });
  assertEquals(code, 0);
  const lines = stdout.trimEnd().split("\n");
  for (const [index, [statement, permission]] of denied.entries()) {
    assertMatch(lines[index]!, new RegExp(`^\\w+: (Requires|Can't escalate) ${permission} `), statement);
  }
  assertEquals(lines.slice(denied.length), ["read"]);
});

Deno.test("a plugin that does what it may not exits 10 and is told what it may", async () => {
  await using folder = await PluginFolder.create();
  await folder.writePlugin('await Deno.readTextFile("/etc/passwd");');
  const { code, stderr } = await davit(["./sample.ts"], { canned: true, cwd: folder.path });
  const said = 'Cannot run plugin "./sample.ts": ./sample.ts:6:12: read access to "/etc/passwd" is denied';
  const hint = "--allow-read=/etc/passwd would allow it, as would the configuration";
  assertEquals([code, stderr], [10, `davit: ${said}\nhint: ${hint}\n`]);
});

const bundling =
  '\nhint: plugins import "davit" and files beside them; put other packages into the file itself: ' +
  "deno bundle --external davit -o plugin.js plugin.ts";

/** Text of a plugin's file, and what is said of it. */
const unloadable: readonly [criterion: string, text: string, said: string][] = [
  [
    "has a syntax error",
    "export default {\n  run() { return 1 +; },\n};\n",
    "./bad.ts:2:21: SyntaxError: Expression expected",
  ],
  ["has no default export", "export const plugin = 1;\n", "it has no default export"],
  ["exports a number", "export default 5;\n", "its default export is not a plugin, which definePlugin makes"],
  ["exports null", "export default null;\n", "its default export is not a plugin, which definePlugin makes"],
  [
    "exports a plugin without run",
    'export default { name: "bad", summary: "x" };\n',
    "its default export is not a plugin, which definePlugin makes",
  ],
  [
    "has a wrong definition",
    'export default { name: "Bad", summary: "x", run() {} };\n',
    "name: expected lower-case words with dashes",
  ],
  [
    "takes the name of a global flag",
    'export default { name: "bad", summary: "x", run() {}, options: { dryRun: { type: "boolean", summary: "x" } } };\n',
    "options.dryRun: --dry-run is a flag of davit itself; use another name",
  ],
  [
    "has code in its definition",
    'export default { name: "bad", summary: () => "x", run() {} };\n',
    'only plain data can leave a plugin: ()=>"x" could not be cloned',
  ],
  ["throws at its top level", 'throw new Error("at the top");\n', "./bad.ts:1:7: at the top"],
  [
    "imports what is not there",
    'import "./nothing.ts";\n',
    './bad.ts:1:8: TypeError: Module not found "./nothing.ts".',
  ],
  [
    "imports what davit has not",
    'import { nothing } from "davit";\nnothing();\n',
    "./bad.ts:1:10: SyntaxError: The requested module 'davit' does not provide an export named 'nothing'",
  ],
  [
    "imports a package by name",
    'import "lodash";\n',
    `./bad.ts:1:8: TypeError: Import "lodash" not a dependency and not in import map from "./bad.ts"${bundling}`,
  ],
  [
    "imports from the network",
    'import "https://example.com/x.ts";\n',
    `./bad.ts:1:8: import access to "example.com:443" is denied${bundling}`,
  ],
];

for (const [criterion, text, said] of unloadable) {
  Deno.test(`a plugin that ${criterion} exits 10 and says so`, async () => {
    await using folder = await PluginFolder.create();
    await folder.write("bad.ts", text);
    const { code, stderr } = await davit(["./bad.ts"], { canned: true, cwd: folder.path });
    assertEquals([code, stderr], [10, `davit: Cannot load plugin "./bad.ts": ${said}\n`]);
  });
}
