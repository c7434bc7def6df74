import { assertEquals } from "@std/assert";
import { docker, strange } from "../../cli/habits.ts";
import { findCommand, unknownCommand } from "../../cli/lookup.ts";

Deno.test("docker's words lead to verbs that there are, and none of them is a word of davit's", () => {
  for (const [word, meant] of docker) {
    assertEquals(findCommand([word, "x"]).kind, "plugin", word);
    for (const words of meant.split('" or "')) {
      assertEquals(findCommand(words.split(" ")).kind, "verb", words);
    }
  }
});

Deno.test("what davit does not do is none of its words, and is told what does it, in davit's words where they are", () => {
  for (const [word, instead] of strange) {
    assertEquals(findCommand([word, "x"]).kind, "plugin", word);
    assertEquals(unknownCommand([word]).hint, instead);
    for (const [, noun, verb = ""] of instead.matchAll(/\bdavit ([a-z]+)(?: ([a-z]+))?/g)) {
      const words = findCommand([noun!]).kind === "verb" ? [noun!] : [noun!, verb];
      if (findCommand([noun!]).kind !== "plugin") {
        assertEquals(findCommand(words).kind, "verb", words.join(" "));
      }
    }
  }
});
