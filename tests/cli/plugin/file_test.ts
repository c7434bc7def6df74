import { assertEquals, assertRejects } from "@std/assert";
import { relative, toFileUrl } from "@std/path";
import { CliError, UsageError } from "../../../cli/errors.ts";
import { isPath, PluginFile } from "../../../cli/plugin/file.ts";
import { PluginFolder } from "./plugin_folder.ts";

Deno.test("isPath() tells files from names", () => {
  assertEquals(["./a", "a/b", "a.ts", "a.js", "/a"].filter(isPath).length, 5);
  assertEquals(["a", "image-sync", "a.tsx", ".ts.x", "ts"].filter(isPath), []);
});

Deno.test("PluginFile.find() finds a file of code, also behind a link", async () => {
  await using folder = await PluginFolder.create();
  const path = await folder.write("real.ts", "");
  await Deno.symlink(path, `${folder.path}/link.ts`);
  await Deno.symlink(path, `${folder.path}/link`);
  for (const name of ["real.ts", "link.ts", "link"]) {
    assertEquals((await PluginFile.find(`${folder.path}/${name}`)).path, path);
  }
});

Deno.test("PluginFile.find() rejects what is not there with not_found, and what is no code as a wrong usage", async () => {
  await using folder = await PluginFolder.create();
  await Deno.mkdir(`${folder.path}/folder.ts`);
  await folder.write("plain.txt", "");
  const missing = await assertRejects(
    () => PluginFile.find(`${folder.path}/none.ts`),
    CliError,
    "no such file",
  );
  assertEquals(missing.code, "not_found");
  for (
    const [name, reason] of [
      ["folder.ts", "it is a directory"],
      ["plain.txt", "it is not a .ts or .js file"],
      ["plain.txt/x.ts", "Not a directory"],
    ]
  ) await assertRejects(() => PluginFile.find(`${folder.path}/${name}`), UsageError, reason);
  await assertRejects(() => PluginFile.find("/dev/null"), UsageError, "it is not a regular file");
});

Deno.test("PluginFile.shown() gives the plugin's files back as their user would write them", async () => {
  await using folder = await PluginFolder.create();
  const path = await folder.write("with space.ts", "");
  await Deno.mkdir(`${folder.path}/lib`);
  const library = toFileUrl(await folder.write("lib/é.ts", "")).href;
  const typed = relative(Deno.cwd(), path);
  const file = await PluginFile.find(typed);
  assertEquals(file.shown(file.url), typed);
  assertEquals(file.shown(library), typed.replace("with space.ts", "lib/é.ts"));
  await Deno.symlink(path, `${folder.path}/lib/link.ts`);
  const linked = await PluginFile.find(`${folder.path}/lib/link.ts`);
  assertEquals(linked.shown(linked.url), path);
});

Deno.test("PluginFile.shown() leaves URLs of anything else alone", async () => {
  await using folder = await PluginFolder.create();
  const file = await PluginFile.find(await folder.write("a.ts", ""));
  for (
    const url of ["file:///etc/passwd", "https://example.com/", "ext:core/01_core.js", "file:///%ff", "x", ""]
  ) {
    assertEquals(file.shown(url), undefined);
  }
});
