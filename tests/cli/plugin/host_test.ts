import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { PluginFolder } from "./plugin_folder.ts";
import { davit as davitProcess, type Ended } from "./program.ts";

function davit(argv: readonly string[], { cwd }: { cwd?: string } = {}): Promise<Ended> {
  return davitProcess(argv, { canned: true, ...(cwd !== undefined && { cwd }) });
}

Deno.test("a plugin's file runs as a verb: options, arguments, rows, lines on stderr", async () => {
  await using folder = await PluginFolder.create();
  const path = await folder.writePlugin(
    `
    log.info(\`\${client.name} \${options.keep} \${options.only.join("+")} \${options.forReal} \${options.wait}\`);
    log.warn(args.join(" "));
    yield { name: "a", createdAt: new Date(0), size: 2048n };
    yield { name: "b" };`,
    {
      args: [{ name: "REF", summary: "images", repeats: true }],
      options: {
        keep: { type: "integer", default: 5, summary: "how many" },
        only: { type: "list", commas: true, summary: "which" },
        forReal: { type: "boolean", summary: "whether" },
        wait: { type: "duration", summary: "how long" },
      },
      columns: [{ header: "NAME", key: "name" }, { header: "SIZE", key: "size", as: "bytes" }],
    },
  );
  const flags = ["-n", "build", "--only=x,y", "--for-real", "one", "--wait", "2s", "two"];
  const { code, stdout, stderr } = await davit([path, ...flags]);
  assertEquals(stderr, "build 5 x+y true 2000\nwarning: one two\n");
  assertEquals(stdout.replaceAll(/ +/g, " "), "NAME SIZE\na 2.0 KiB\nb -\n");
  assertEquals(code, 0);
  assertEquals((await davit([path, "x", "-q"])).stdout, "a\nb\n");
  assertEquals(JSON.parse((await davit([path, "x", "-o", "json"])).stdout), [
    { name: "a", createdAt: "1970-01-01T00:00:00.000Z", size: 2048 },
    { name: "b" },
  ]);
});

Deno.test("an option of a plugin that is on by default is switched off by its flag or its variable", async () => {
  await using folder = await PluginFolder.create();
  const path = await folder.writePlugin("return String(options.unpack);", {
    options: { unpack: { type: "boolean", default: true, env: "DAVIT_UNPACK", summary: "whether" } },
  });
  const shown = async (argv: readonly string[], env: Record<string, string> = {}) =>
    (await davitProcess([path, ...argv], { canned: true, env })).stdout.trim();
  assertEquals(await shown([]), "true");
  assertEquals(await shown(["--no-unpack"]), "false");
  assertEquals(await shown(["--unpack=false"]), "false");
  assertEquals(await shown(["--no-unpack", "--unpack"]), "true"); // the last one counts
  assertEquals(await shown([], { DAVIT_UNPACK: "false" }), "false");
  assertEquals(await shown(["--unpack"], { DAVIT_UNPACK: "false" }), "true");
  assertEquals(await shown(["--no-unpack"], { DAVIT_UNPACK: "true" }), "false");
});

Deno.test("a plugin's one value is shown as that of a verb, and nothing as nothing", async () => {
  await using folder = await PluginFolder.create();
  const shown = async (body: string, ...argv: string[]) =>
    (await davit([await folder.writePlugin(body), ...argv])).stdout;
  assertEquals(await shown('return "two\\nlines";'), "two\nlines\n");
  assertEquals(await shown("return { a: 1 };", "-o", "jsonl"), '{"a":1}\n');
  assertEquals(await shown("return [{ a: 1 }, { a: 2 }];", "-o", "jsonl"), '{"a":1}\n{"a":2}\n');
  assertEquals(await shown("return [];", "-o", "json"), "[]\n");
  assertEquals(await shown("return;"), "");
});

Deno.test("a plugin without columns has those of its first row", async () => {
  await using folder = await PluginFolder.create();
  const { stdout } = await davit([await folder.writePlugin("yield { name: 'x', size: 1 };")]);
  assertEquals(stdout.replaceAll(/ +/g, " "), "NAME SIZE\nx 1\n");
});

Deno.test("a plugin's help is made from its definition, without running it", async () => {
  await using folder = await PluginFolder.create();
  const path = await folder.writePlugin("throw new Error('ran');", {
    options: { keep: { type: "integer", default: 5, summary: "tags to keep" } },
    examples: ["sample --keep 3"],
  });
  for (const argv of [[path, "--help"], ["help", path], ["-h", path]]) {
    const { code, stdout, stderr } = await davit(argv);
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, `davit ${path}: A plugin of the tests`);
    assertMatch(stdout, /--keep INTEGER +tags to keep/);
    assertStringIncludes(stdout, "davit sample --keep 3");
  }
});

Deno.test("a plugin's options are as strict as those of verbs", async () => {
  await using folder = await PluginFolder.create();
  const path = await folder.writePlugin("return 'ran';", {
    options: { keep: { type: "integer", required: true, summary: "how many" } },
  });
  for (
    const line of ["", "--keep", "--keep=x", "--keep=1 --kepe=2", "--keep=1 extra"]
  ) {
    const { code, stdout } = await davit([path, ...line.split(" ").filter(Boolean)]);
    assertEquals([code, stdout], [2, ""], line);
  }
});

Deno.test("console of a plugin writes to stderr, also before it runs", async () => {
  await using folder = await PluginFolder.create();
  await folder.writePlugin("console.error('later'); yield 'row';");
  const path = await folder.write(
    "noisy.ts",
    "console.log('early', { a: 1 });\nexport { default } from './sample.ts';\n",
  );
  const { code, stdout, stderr } = await davit([path]);
  assertEquals([code, stdout, stderr], [0, "row\n", "early { a: 1 }\nwarning: later\n"]);
});

Deno.test("failed() of a plugin reports an item and decides the exit code", async () => {
  await using folder = await PluginFolder.create();
  const oneFails = 'await client.images.get("not_found").catch(failed);';
  const all = await davit([await folder.writePlugin(oneFails)]);
  assertEquals([all.code, all.stderr], [4, 'davit: Cannot get image "not_found": refused\n']);
  const some = await davit([await folder.writePlugin(`${oneFails} failed(new Error("odd")); yield "row";`)]);
  assertEquals([some.code, some.stdout], [3, "row\n"]);
  assertStringIncludes(some.stderr, "davit: odd\n");
});

Deno.test("an error of containerd that a plugin does not catch keeps its class and exit code", async () => {
  await using folder = await PluginFolder.create();
  const path = await folder.writePlugin('yield "row";\nawait client.images.get(args[0]);', {
    args: [{ name: "CODE", summary: "what to fail with" }],
  });
  for (const [code, exit] of [["not_found", 4], ["failed_precondition", 5], ["unimplemented", 9]] as const) {
    const failed = await davit([path, code, "-o", "jsonl"]);
    assertEquals([failed.code, failed.stdout], [exit, '"row"\n']);
    const { message, code: told } = JSON.parse(failed.stderr);
    assertEquals([told, message], [code, `Cannot get image "${code}": refused`]);
  }
});

Deno.test("plugin run, info and list know plugins by file and by name", async () => {
  await using folder = await PluginFolder.create();
  const path = await folder.writePlugin("return args.length;", { access: { write: "images" } });
  assertEquals((await davit(["plugin", "run", path])).stdout, "0\n");
  const { access, summary } = JSON.parse((await davit(["plugin", "info", path])).stdout);
  assertEquals({ access, summary }, {
    access: { namespaces: "current", write: "images" },
    summary: "A plugin of the tests",
  });
  assertEquals(
    (await davit(["plugins", "ls", "-q"])).stdout,
    "image-retention\nimage-sync\nnamespace-report\nwatch-exits\n",
  );
  assertMatch((await davit(["image-sync", "--help"])).stdout, /^davit image-sync: Copy the images/);
  for (const mistyped of ["image-snyc", "imagesync"]) {
    const unknown = await davit([mistyped]);
    assertEquals([unknown.code, unknown.stdout], [2, ""]);
    assertMatch(unknown.stderr, /\nhint: did you mean "image-sync"\?\n$/);
  }
});

Deno.test("a plugin that is not there exits 4, and a file that is none exits 2", async () => {
  await using folder = await PluginFolder.create();
  const missing = await davit(["./none.ts", "--help"], { cwd: folder.path });
  assertEquals([missing.code, missing.stderr], [4, 'davit: Cannot load plugin "./none.ts": no such file\n']);
  const directory = await davit(["./"], { cwd: folder.path });
  assertEquals([directory.code, directory.stderr], [
    2,
    'davit: Cannot load plugin "./": it is a directory\n',
  ]);
});
