import { assertEquals } from "@std/assert";
import { nearest } from "../../lib/nearest.ts";

const words = ["list", "label", "inspect", "remove", "create", "copy", "rm"];

Deno.test("nearest() finds what was probably meant", () => {
  for (
    const [typed, meant] of [
      ["lst", "list"],
      ["lsit", "list"],
      ["lists", "list"],
      ["insp", "inspect"],
      ["remvoe", "remove"],
      ["crate", "create"],
      ["copyy", "copy"],
      ["r", "rm"],
    ]
  ) assertEquals(nearest(typed!, words), meant, typed);
});

Deno.test("nearest() does not guess wildly", () => {
  for (const typed of ["", "x", "prune", "zzz", "exec", "constructor"]) {
    assertEquals(nearest(typed, words), undefined, typed);
  }
});
