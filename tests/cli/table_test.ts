import { assertEquals } from "@std/assert";
import { layOut, widthOf } from "../../cli/table.ts";

Deno.test("layOut() aligns columns two blanks apart and leaves nothing behind", () => {
  assertEquals(layOut([["NAME", "X"], ["a", "long"], ["longer", ""]]), "NAME    X\na       long\nlonger\n");
});

Deno.test("layOut() of nothing is nothing", () => {
  assertEquals(layOut([]), "");
});

Deno.test("layOut() counts the places that characters take", () => {
  assertEquals(
    layOut([["テスト", "1"], ["abc", "2"], ["e\u0301", "3"], ["😀", "4"]]),
    "テスト  1\nabc     2\ne\u0301       3\n😀      4\n",
  );
});

Deno.test("widthOf() counts wide characters twice and marks not at all", () => {
  assertEquals(["", "abc", "ü", "漢字", "한", "e\u0301", "😀"].map(widthOf), [0, 3, 1, 4, 2, 1, 2]);
});
