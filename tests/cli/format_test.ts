import { assertEquals } from "@std/assert";
import { formatAge, formatBytes, formatCell, formatLabels } from "../../cli/format.ts";

const now = new Date("2026-01-01T12:00:00Z");

Deno.test("formatBytes() uses IEC units with one decimal", () => {
  const sizes = [
    0,
    1023,
    1024,
    1536,
    1048524,
    1048525,
    1048576,
    76_231_475,
    1024 ** 3,
    5 * 1024 ** 4,
    2 * 1024 ** 6,
  ];
  assertEquals(sizes.map(formatBytes), [
    "0 B",
    "1023 B",
    "1.0 KiB",
    "1.5 KiB",
    "1023.9 KiB",
    "1.0 MiB",
    "1.0 MiB",
    "72.7 MiB",
    "1.0 GiB",
    "5.0 TiB",
    "2048.0 PiB",
  ]);
});

Deno.test("formatAge() says the largest whole unit, of the past and the future", () => {
  const seconds = [0, 1, 59, 60, 3599, 3600, 86_399, 86_400, 364 * 86_400, 800 * 86_400, -90, -86_400];
  const ages = seconds.map((past) => formatAge(new Date(now.getTime() - past * 1000), now));
  assertEquals(ages, [
    "now",
    "1s ago",
    "59s ago",
    "1m ago",
    "59m ago",
    "1h ago",
    "23h ago",
    "1d ago",
    "364d ago",
    "2y ago",
    "in 1m",
    "in 1d",
  ]);
});

Deno.test("formatLabels() sorts by key", () => {
  assertEquals(formatLabels({ b: "2", a: "1", "a.b": "" }), "a=1,a.b=,b=2");
});

Deno.test("formatCell() gives each kind of value a text", () => {
  assertEquals(formatCell("x\x1b", "text", now), "x\\x1b");
  assertEquals(formatCell(1536, "bytes", now), "1.5 KiB");
  assertEquals(formatCell(1536n, "bytes", now), "1.5 KiB");
  assertEquals(formatCell(1536, undefined, now), "1536");
  assertEquals(formatCell(false, undefined, now), "false");
  assertEquals(formatCell(0, undefined, now), "0");
  assertEquals(formatCell(["a", "b\n"], "list", now), "a,b\\n");
  assertEquals(formatCell({ k: "v" }, "labels", now), "k=v");
  assertEquals(formatCell(new Date("2026-01-01T11:00:00Z"), "age", now), "1h ago");
  assertEquals(formatCell(new Date("2026-01-01T11:00:00Z"), "text", now), "2026-01-01T11:00:00.000Z");
});

Deno.test("formatCell() is empty where there is nothing", () => {
  for (const value of [undefined, null, "", [], {}, new Date(0), new Date(NaN)]) {
    assertEquals(formatCell(value, "text", now), "", String(value));
    assertEquals(formatCell(value, "age", now), "", String(value));
  }
});
