import { assertEquals, assertStringIncludes } from "@std/assert";
import { PluginFolder } from "./plugin_folder.ts";
import { davit } from "./program.ts";

Deno.test("20,000 lines at once are no flood", async () => {
  await using folder = await PluginFolder.create();
  const path = await folder.writePlugin(
    'for (let line = 0; line < 20_000; line++) log.info("x");\nreturn "done";',
  );
  const { code, stdout, stderr } = await davit([path], { canned: true });
  assertEquals([code, stdout, stderr.length], [0, "done\n", 40_000]);
});

Deno.test("what a plugin may only read at run time it may not import as a text either", async () => {
  await using folder = await PluginFolder.create();
  const path = await folder.write(
    "text.ts",
    `import shadow from "/etc/shadow" with { type: "text" };
export default { name: "text", summary: "x", run: () => shadow };\n`,
  );
  const { code, stdout, stderr } = await davit([path], { canned: true });
  assertEquals([code, stdout], [10, ""]);
  assertStringIncludes(stderr, 'read access to "/etc/shadow" is denied');
});
