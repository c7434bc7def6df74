import { assertEquals } from "@std/assert";
import { bashInsertion, readBashLine } from "../../../cli/completion/bash.ts";

const breaks = " \t\n\"'@><=;|&(:";

const lines: readonly [text: string, words: string[], inserted: string | undefined][] = [
  ["", [""], "a b:c@d=e"],
  ["davit", ["davit"], undefined],
  ["davit ", ["davit", ""], "a\\ b:c@d=e"],
  ["  davit \t x  ", ["davit", "x", ""], "a\\ b:c@d=e"],
  ["davit a\\ b", ["davit", "a b"], "a\\ b:c@d=e"],
  ["davit a\\ b:", ["davit", "a b:"], "c@d=e"],
  ["davit a\\ b\\:", ["davit", "a b:"], "a\\ b:c@d=e"],
  ["davit a\\ b:c@d", ["davit", "a b:c@d"], "@d=e"],
  ["davit a\\ b:c@d=", ["davit", "a b:c@d="], "e"],
  ["davit 'a b:c@", ["davit", "a b:c@"], "a b:c@d=e"],
  ['davit "a b:c@', ["davit", "a b:c@"], "a b:c@d=e"],
  ["davit 'a b'", ["davit", "a b"], "a\\ b:c@d=e"],
  ["davit 'a'\\ \"b:", ["davit", "a b:"], "b:c@d=e"],
  ["davit ''", ["davit", ""], "a\\ b:c@d=e"],
  ['davit "\\a\\"\\$" ', ["davit", '\\a"$', ""], "a\\ b:c@d=e"],
  ["davit 'a\\' ", ["davit", "a\\", ""], "a\\ b:c@d=e"],
  ["davit a\\", ["davit", "a"], "a\\ b:c@d=e"],
];

for (const [text, words, inserted] of lines) {
  Deno.test(`readBashLine() takes ${JSON.stringify(text)} apart as bash does`, () => {
    const line = readBashLine(text, breaks);
    assertEquals(line.words, words);
    if (inserted !== undefined && text !== "") assertEquals(bashInsertion("a b:c@d=e", line), inserted);
  });
}

Deno.test("bashInsertion() quotes whatever bash would not take as it is", () => {
  const line = (text: string) => readBashLine(text, breaks);
  const odd = "a$(b)`c`'d'\"e\\~*é日";
  assertEquals(bashInsertion(odd, line("davit ")), "a\\$\\(b\\)\\`c\\`\\'d\\'\\\"e\\\\\\~\\*é日");
  assertEquals(bashInsertion(odd, line('davit "a')), "a\\$(b)\\`c\\`'d'\\\"e\\\\~*é日");
  assertEquals(bashInsertion(odd, line("davit 'a")), undefined);
  assertEquals(bashInsertion("a$b", line("davit 'a")), "a$b");
});
