import { assertEquals } from "@std/assert";
import { formatDuration, parseDuration } from "../../lib/duration.ts";

Deno.test("parseDuration() adds up numbers with units", () => {
  const texts = ["0", "1ms", "90s", "15m", "24h", "7d", "1h30m", "24h0m0s", "1.5h", "0s", "2w", "1w2d"];
  assertEquals(texts.map(parseDuration), [
    0,
    1,
    90_000,
    900_000,
    86_400_000,
    604_800_000,
    5_400_000,
    86_400_000,
    5_400_000,
    0,
    1_209_600_000,
    777_600_000,
  ]);
});

Deno.test("parseDuration() refuses everything else", () => {
  for (
    const text of [
      "",
      "5",
      "s",
      "-1s",
      "1 s",
      "1W",
      "1y",
      "1S",
      "1.s",
      ".5s",
      "1e3s",
      "Infinity",
      "1s ",
      "٣s",
      "9999999999999999d",
    ]
  ) {
    assertEquals(parseDuration(text), undefined, text);
  }
});

Deno.test("formatDuration() uses the largest unit up to days that is whole, as parseDuration() reads it", () => {
  const durations = [0, 1, 1_500, 90_000, 120_000, 3_600_000, 5_400_000, 86_400_000, 604_800_000];
  const texts = durations.map(formatDuration);
  assertEquals(texts, ["0ms", "1ms", "1500ms", "90s", "2m", "1h", "90m", "1d", "7d"]);
  assertEquals(texts.map(parseDuration), durations);
});
