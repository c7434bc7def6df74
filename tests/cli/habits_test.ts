import { assertEquals } from "@std/assert";
import { docker } from "../../cli/habits.ts";
import { findCommand } from "../../cli/lookup.ts";

Deno.test("docker's words lead to verbs that there are, and none of them is a word of davit's", () => {
  for (const [word, meant] of docker) {
    assertEquals(findCommand([word, "x"]).kind, "plugin", word);
    for (const words of meant.split('" or "')) {
      assertEquals(findCommand(words.split(" ")).kind, "verb", words);
    }
  }
});
