import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { filesIn } from "../../../cli/build/build.ts";
import { docsFolder, makeReference } from "../../../cli/build/reference.ts";
import { chapters } from "../../../cli/build/reference_commands.ts";
import { environment } from "../../../cli/environment.ts";
import { usageOf } from "../../../cli/help.ts";
import { nouns, verbs } from "../../../cli/verbs.ts";
import { debianPackage } from "../../real/debian.ts";
import { run } from "../../real/process.ts";

const pages = await makeReference();

for (const [name, text] of Object.entries(pages)) {
  Deno.test(`docs/${name} is what deno task reference makes`, async () => {
    const committed = await Deno.readTextFile(join(docsFolder, name));
    const [is, becomes] = [committed, text].map((page) => page.split("\n")) as [string[], string[]];
    const at = becomes.findIndex((line, index) => line !== is[index]);
    // The first line that differs, not the pages.
    assertEquals(
      [is[at], is.length],
      [becomes[at], becomes.length],
      `Run deno task reference: line ${at + 1}`,
    );
  });
}

Deno.test("makeReference() tells of every verb, and links to each", () => {
  const { "reference.md": markdown = "", "davit.1": manual = "" } = pages;
  const listed = [
    ...nouns.flatMap((noun) => noun.verbs.map(({ name }) => [noun.name, name])),
    ...verbs.map(({ name }) => [name]),
  ];
  for (const words of listed) {
    assertEquals(markdown.includes(`\n### ${words.join(" ")}\n`), true, words.join(" "));
    assertEquals(markdown.includes(`(#${words.join("-")})`), true, words.join(" "));
    assertEquals(manual.includes(`\n.SS ${words.join(" ")}`), true, words.join(" "));
  }
});

Deno.test("environment lists every variable that davit reads", async () => {
  const read = new Set<string>();
  for (const path of await filesIn(join(docsFolder, "../cli"))) {
    const code = await Deno.readTextFile(path);
    const pattern = path.endsWith(".sh.in") ? /\$\{?((?:DAVIT|XDG)_[A-Z_]+)/g : /\benv\("([A-Z_]+)"\)/g;
    for (const [, name = ""] of code.matchAll(pattern)) read.add(name);
  }
  const listed = environment.map(({ name }) => name);
  assertEquals([...read].filter((name) => !listed.includes(name)), []);
  assertEquals(listed, [...new Set(listed)].sort());
});

/** Undefined where there are no packages of Debian. */
const mandoc = await debianPackage("mandoc").catch(() => undefined);

Deno.test({
  name: "the manual page is sound roff" + (mandoc ? "" : ": no mandoc"),
  ignore: mandoc === undefined && Deno.env.get("DAVIT_REQUIRE_REAL") !== "1",
  fn: async () => {
    const file = await Deno.makeTempFile({ suffix: ".1" });
    try {
      await Deno.writeTextFile(file, pages["davit.1"]!);
      const program = join(mandoc!, "usr/bin/mandoc");
      const { stdout: complaints } = await run(program, ["-T", "lint", "-W", "warning", file], {
        check: false,
      });
      assertEquals(complaints.split("\n").filter((line) => !/^$|missing date/.test(line)), []);
      const { stdout: shown } = await run(program, ["-T", "utf8", file]);
      const plain = shown.replace(/.[\b]/g, "").replace(/\s+/g, " ");
      for (const { words, verb } of (await chapters()).flatMap(({ commands }) => commands)) {
        const expected = [
          usageOf(words, verb),
          ...(verb.examples ?? []).map((example) => `davit ${example}`),
        ];
        assertEquals(expected.filter((line) => !plain.includes(line.replace(/\s+/g, " "))), []);
      }
    } finally {
      await Deno.remove(file);
    }
  },
});
