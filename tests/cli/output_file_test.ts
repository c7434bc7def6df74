import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { CliError, UsageError } from "../../cli/errors.ts";
import { writeFile } from "../../cli/output_file.ts";

async function* pieces(...texts: string[]): AsyncIterable<Uint8Array> {
  for (const text of texts) yield new TextEncoder().encode(text);
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function filesIn(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).toSorted();
}

Deno.test("writeFile() puts a file in its place as a whole, or leaves what was there", async () => {
  await inFolder(async (folder) => {
    const file = join(folder, "file");
    for (const text of ["one", "two"]) {
      await writeFile(file, pieces(text, "!"));
      assertEquals([await filesIn(folder), await Deno.readTextFile(file)], [["file"], `${text}!`]);
    }
    const failure = new Error("no more");
    const failing = async function* () {
      yield* pieces("three");
      assertEquals((await filesIn(folder)).length, 2);
      throw failure;
    };
    assertEquals(await assertRejects(() => writeFile(file, failing())), failure);
    assertEquals([await filesIn(folder), await Deno.readTextFile(file)], [["file"], "two!"]);
  });
});

Deno.test("writeFile() writes into pipes and devices instead of replacing them", async () => {
  await writeFile("/dev/null", pieces("gone"));
  assertEquals((await Deno.stat("/dev/null")).isFile, false);
  await assertRejects(
    () => writeFile("/dev/full", pieces("more")),
    CliError,
    'Cannot write to "/dev/full": no space left on device',
  );
  await inFolder(async (folder) => {
    const link = join(folder, "null");
    await Deno.symlink("/dev/null", link);
    await writeFile(link, pieces("gone"));
    assertEquals((await Deno.lstat(link)).isSymlink, true);
  });
});

Deno.test("writeFile() does not follow links to files, nor replace folders", async () => {
  await inFolder(async (folder) => {
    const [file, link, dangling] = ["file", "link", "dangling"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    await Deno.writeTextFile(file, "as it was");
    await Deno.symlink(file, link);
    await Deno.symlink("nowhere", dangling);
    const refused = async (path: string, message: string) => {
      const error = await assertRejects(() => writeFile(path, pieces("x")), UsageError, message);
      return (error as UsageError).hint;
    };
    assertEquals(await refused(link, "it is a symbolic link"), `to write where it leads, name ${file}`);
    await refused(dangling, "it is a symbolic link");
    await refused(folder, "it is a folder");
    await refused(`${file}/`, "not the name of a file");
    await refused("", "not the name of a file");
    assertEquals(await Deno.readTextFile(file), "as it was");
    assertEquals(await filesIn(folder), ["dangling", "file", "link"]);
  });
});

Deno.test("writeFile() names the file that it cannot write", async () => {
  const error = await assertRejects(() => writeFile("/nowhere/file", pieces("x")), CliError);
  assertEquals([error.message, error.code], [
    'Cannot write to "/nowhere/file": no such file or directory',
    "not_found",
  ]);
});
