import { assertEquals } from "@std/assert";
import { formatSize, parseSize } from "../../lib/size.ts";

const sizes: readonly [string, number | undefined][] = [
  ["0", 0],
  ["1024", 1024],
  ["100B", 100],
  ["64k", 65_536],
  ["1KB", 1000],
  ["1KiB", 1024],
  ["1.5GiB", 1_610_612_736],
  ["500 MB", 500_000_000],
  ["2T", 2_199_023_255_552],
  ["", undefined],
  ["-1", undefined],
  ["1iB", undefined],
  ["1XB", undefined],
  ["1e3", undefined],
  ["GiB", undefined],
  ["99999999999P", undefined],
];

for (const [text, bytes] of sizes) {
  Deno.test(`parseSize() reads ${JSON.stringify(text)} as ${bytes}`, () => {
    assertEquals(parseSize(text), bytes);
  });
}

Deno.test("formatSize() uses the largest unit that parseSize() reads back", () => {
  for (
    const [bytes, text] of [[0, "0"], [1000, "1000"], [1024, "1KiB"], [1536, "1536"], [
      5 * 1024 ** 3,
      "5GiB",
    ]] as const
  ) {
    assertEquals(formatSize(bytes), text);
    assertEquals(parseSize(text), bytes);
  }
});
