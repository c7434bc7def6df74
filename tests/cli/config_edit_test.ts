import { assertEquals, assertThrows } from "@std/assert";
import { withContext } from "../../cli/config_edit.ts";
import { parseConfig } from "../../cli/config_file.ts";
import { UsageError } from "../../cli/errors.ts";

const edits: readonly [what: string, before: string, after: string][] = [
  ["an empty file", "", 'context = "prod"\n'],
  ["comments alone", "# mine\n", '# mine\ncontext = "prod"\n'],
  ["no newline at the end", "# mine", '# mine\ncontext = "prod"\n'],
  [
    "a line with a comment",
    "# mine\ncontext = 'test' # for now\n[contexts.test]\n",
    '# mine\ncontext = "prod" # for now\n[contexts.test]\n',
  ],
  [
    "tables alone",
    "\n# mine\n\n[contexts.prod] # here\nnamespace = 'a'\n",
    "\n# mine\n\ncontext = \"prod\"\n\n[contexts.prod] # here\nnamespace = 'a'\n",
  ],
  ["another key first", "contexts = { prod = {} }\n", 'context = "prod"\ncontexts = { prod = {} }\n'],
  ["a quoted key", '"context" = "x#y"\n', '"context" = "prod"\n'],
  ["lines of DOS", 'context = "a"\r\n[contexts.a]\r\n', 'context = "prod"\r\n[contexts.a]\r\n'],
];

for (const [what, before, after] of edits) {
  Deno.test(`withContext() changes ${what} and leaves the rest as it is`, () => {
    const edited = withContext(before, { name: "prod", path: "c.toml" });
    assertEquals(edited, after);
    assertEquals(parseConfig(edited, "c.toml"), { ...parseConfig(before, "c.toml"), context: "prod" });
  });
}

Deno.test("withContext() writes any name", () => {
  for (const name of ['a"b\\c', "ä $& b", "x # y"]) {
    assertEquals(parseConfig(withContext("context = 'a'\n", { name, path: "c" }), "c").context, name);
  }
});

Deno.test("withContext() gives up where it would change something else", () => {
  const text = `context = """\na"""\n[contexts.a]\n`;
  const refused = assertThrows(() => withContext(text, { name: "prod", path: "c.toml" }), UsageError);
  assertEquals(refused.message, "Cannot set the context in c.toml: its lines are not plain enough");
  assertEquals(refused.hint, 'write context = "prod" at its top');
  const hidden = `[contexts.a]\nnamespace = """\ncontext = "b"\n"""\n`;
  assertThrows(() => withContext(hidden, { name: "prod", path: "c.toml" }), UsageError);
});

Deno.test("withContext() refuses a file that is not right", () => {
  assertThrows(() => withContext("contxt = 1\n", { name: "a", path: "c.toml" }), UsageError, "c.toml:1");
});
