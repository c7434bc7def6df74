import { assertEquals } from "@std/assert";
import { escapeControls, escapeControlsOfLines, escapeJsonControls } from "../../cli/escape.ts";

Deno.test("escapeControls() shows what a terminal would act upon", () => {
  assertEquals(escapeControls("a\x1b[31mb"), "a\\x1b[31mb");
  assertEquals(escapeControls("a\nb\r\tc\0"), "a\\nb\\r\\tc\\x00");
  assertEquals(escapeControls("\x7f\x9b2J\x85"), "\\x7f\\x9b2J\\x85");
  assertEquals(
    escapeControls("abc\u202ecba\u2066\u200f\u061c\u2028"),
    "abc\\u202ecba\\u2066\\u200f\\u061c\\u2028",
  );
  assertEquals(escapeControls("\ud800x\udc00"), "\\ud800x\\udc00");
});

Deno.test("escapeControls() leaves all other text alone", () => {
  const text = 'docker.io/library/ünïcödé:テスト "quoted" \\ 👩‍👩‍👧 é';
  assertEquals(escapeControls(text), text);
});

Deno.test("escapeControlsOfLines() keeps the lines", () => {
  assertEquals(escapeControlsOfLines("a\x1b\n\tb\n"), "a\\x1b\n\\tb\n");
});

Deno.test("escapeJsonControls() keeps the value of the JSON", () => {
  const value = { "k\x9b": "a\x7f\u202e\n\ud83d\ude00" };
  const text = escapeJsonControls(JSON.stringify(value, undefined, 2));
  assertEquals(JSON.parse(text), value);
  assertEquals(text, '{\n  "k\\u009b": "a\\u007f\\u202e\\n😀"\n}');
});
