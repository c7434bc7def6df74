import { assertEquals } from "@std/assert";
import { PluginFolder } from "./plugin_folder.ts";
import { davit } from "./program.ts";

Deno.test("plugin new writes only what is not there, and says so when davit has a verb of that name", async () => {
  await using folder = await PluginFolder.create();
  const here = { cwd: folder.path, canned: true };
  const made = await davit(["plugin", "new", "images", "--template", "prune", "-q"], here);
  assertEquals([made.code, made.stdout.trim().split("\n")], [0, [
    "./images.ts",
    "./images_test.ts",
    "./.davit",
    "./deno.json",
    "./tsconfig.json",
  ]]);
  const warning = 'warning: davit has a "images" of its own: davit plugin run images will run the plugin';
  assertEquals(made.stderr.split("\n")[0], warning);
  const again = await davit(["plugin", "new", "images"], here);
  assertEquals([again.code, again.stderr], [5, 'davit: Cannot write "images.ts": there is such a file\n']);
});

Deno.test("plugin types makes no folder", async () => {
  await using folder = await PluginFolder.create();
  const { code, stderr } = await davit(["plugin", "types", "none"], { cwd: folder.path, canned: true });
  assertEquals([code, stderr], [4, 'davit: Cannot write types into "none": no such folder\n']);
});
