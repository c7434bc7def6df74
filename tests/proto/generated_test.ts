import { assertEquals } from "@std/assert";
import { generate } from "../../proto/generate.ts";
import { temporaryFolder } from "./temporary_folder.ts";

const COMMITTED = `${import.meta.dirname}/../../proto/gen`;

Deno.test("generate() makes exactly what is in proto/gen, also over an older state", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(`${folder.path}/of_a_proto_file_that_is_gone.ts`, "");
  await generate(folder.path);
  const [fresh, committed] = await Promise.all([readAll(folder.path), readAll(COMMITTED)]);
  const paths = Object.keys({ ...fresh, ...committed });
  assertEquals(paths.filter((path) => fresh[path] !== committed[path]), [], "Run deno task proto");
});

/** Text of every file below a folder, by path. */
async function readAll(folder: string, prefix = ""): Promise<Record<string, string>> {
  const texts: Record<string, string> = {};
  for await (const { name, isDirectory } of Deno.readDir(`${folder}/${prefix}`)) {
    const path = prefix + name;
    if (isDirectory) Object.assign(texts, await readAll(folder, `${path}/`));
    else texts[path] = await Deno.readTextFile(`${folder}/${path}`);
  }
  return texts;
}
