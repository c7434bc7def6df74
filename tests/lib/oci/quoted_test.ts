import { assertEquals } from "@std/assert";
import { quoted } from "../../../lib/oci/quoted.ts";

Deno.test("quoted() shows ordinary text as it is", () => {
  assertEquals(quoted("docker.io/library/busybox:1.36"), '"docker.io/library/busybox:1.36"');
  assertEquals(quoted('größe "日本" \\'), '"größe \\"日本\\" \\\\"');
});

Deno.test("quoted() escapes what a terminal interprets or an eye cannot see", () => {
  const cases: [string, string][] = [
    ["\n\r\t\0\x1b[2J", '"\\n\\r\\t\\u0000\\u001b[2J"'],
    ["\x7f\x9b", '"\\u007f\\u009b"'],
    ["\u202eexe\u200b\ufeff", '"\\u202eexe\\u200b\\ufeff"'],
    ["\u2028\u2029", '"\\u2028\\u2029"'],
    ["\ud800", '"\\ud800"'],
    ["\u{e0041}", '"\\udb40\\udc41"'],
  ];
  for (const [text, expected] of cases) {
    assertEquals(quoted(text), expected);
    assertEquals(JSON.parse(quoted(text)), text);
  }
});

Deno.test("quoted() cuts long text without splitting a character", () => {
  assertEquals(quoted("x".repeat(128)), `"${"x".repeat(128)}"`);
  assertEquals(quoted("x".repeat(129)), `"${"x".repeat(128)}…"`);
  assertEquals(quoted("🚢".repeat(128)), `"${"🚢".repeat(128)}"`);
  assertEquals(quoted("🚢".repeat(1e6)), `"${"🚢".repeat(128)}…"`);
  assertEquals(quoted("\x1b".repeat(1e6)).length, 128 * 6 + 3);
});
