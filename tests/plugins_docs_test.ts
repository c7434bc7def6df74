import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { digestOf } from "davit";
import { parseConfig } from "../cli/config_file.ts";
import { writeTypes } from "../cli/plugin/declarations.ts";
import { davit } from "./cli/plugin/program.ts";

const page = await Deno.readTextFile(new URL("../docs/plugins.md", import.meta.url));

/** Blocks of code of a language, by the name in their first line if they have one. */
function blocks(language: string): [name: string, code: string][] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\n(?:// (\\S+)\n)?([^]*?)^\`\`\``, "gm"))]
    .map(([, name = "", code = ""]) => [name, code]);
}

Deno.test("docs/plugins.md: every plugin has right types, loads and runs, and every test passes", async () => {
  const folder = await Deno.makeTempDir({ prefix: "davit-docs-" });
  try {
    const files = blocks("ts");
    for (const [name, code] of files) await Deno.writeTextFile(join(folder, name), code);
    await writeTypes(folder);
    const checked = await new Deno.Command(Deno.execPath(), {
      args: ["check", ...files.map(([name]) => name)],
      cwd: folder,
      env: { NO_COLOR: "1" },
    }).output();
    assertEquals([checked.success, new TextDecoder().decode(checked.stderr)], [
      true,
      files.map(([name]) => `Check ${name}\n`).join(""),
    ]);
    const tested = await davit(["plugin", "test", "-q"], { cwd: folder });
    assertEquals([tested.code, tested.stderr], [0, ""]);
    for (const [name] of files.filter(([name]) => !name.endsWith("_test.ts"))) {
      const args = await Deno.readTextFile(join(folder, name)).then((code) => code.includes("args: [{"));
      const argv = [`./${name}`, ...(args ? ["example.com/app"] : []), "-o", "json"];
      const { code, stdout, stderr } = await davit(argv, { cwd: folder, inMemory: true });
      assertEquals([code, stderr], [0, ""], name);
      // There is nothing in there to show; one plugin puts something in.
      const shown = name === "note.ts"
        ? { digest: await digestOf(new TextEncoder().encode("example.com/app")) }
        : [];
      assertEquals(JSON.parse(stdout), shown, name);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("docs/plugins.md: the configuration is one", () => {
  for (const [, text] of blocks("toml")) assertEquals(parseConfig(text, "plugins.md").context, "prod");
});

Deno.test("docs/plugins.md: there is no block that no test looks at", () => {
  const all = [...page.matchAll(/^```(.*)\n/gm)].map(([, language = ""]) => language);
  const opening = all.filter((_, index) => index % 2 === 0); // the others end them
  assertEquals(opening.filter((language) => !["ts", "toml", "sh"].includes(language)), []);
  assertEquals(blocks("ts").map(([name]) => name).filter((name) => !/^\w+\.ts$/.test(name)), []);
});

Deno.test("docs/plugins.md: the first steps work as they stand there", async () => {
  const folder = await Deno.makeTempDir({ prefix: "davit-docs-" });
  try {
    const env = { DAVIT_PLUGIN_PATH: folder }; // for the folder that plugins are copied to
    const steps = blocks("sh").map(([, text]) => text).join("");
    const lines = steps.split("\n").filter((line) => line.startsWith("davit "));
    for (const line of lines) {
      const argv = line.replace(/ +#.*/, "").split(" ").slice(1);
      const { code, stderr } = await davit(argv, { cwd: folder, inMemory: true, env });
      assertEquals(code, 0, `${line}: ${stderr}`);
    }
    assertEquals(lines.length, 5);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
