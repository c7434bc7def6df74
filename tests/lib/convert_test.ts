import { assertEquals, assertThrows } from "@std/assert";
import { labelChange, toDate, toDateIfAny, toNumber } from "../../lib/convert.ts";

Deno.test("toDateIfAny() tells an instant to the millisecond", () => {
  const dates: [bigint, number, string][] = [
    [0n, 0, "1970-01-01T00:00:00.000Z"],
    [1_795_506_820n, 610_499_865, "2026-11-24T07:53:40.610Z"],
    [-1n, 999_999_999, "1969-12-31T23:59:59.999Z"],
  ];
  for (const [seconds, nanos, instant] of dates) {
    assertEquals(toDateIfAny({ seconds, nanos })?.toISOString(), instant);
    assertEquals(toDate({ seconds, nanos }).toISOString(), instant);
  }
});

Deno.test("toDateIfAny() has no instant for what is absent or Go's zero time", () => {
  assertEquals(toDateIfAny(undefined), undefined);
  assertEquals(toDateIfAny({ seconds: -62_135_596_800n, nanos: 0 }), undefined);
});

Deno.test("toNumber() refuses what a number cannot hold exactly", () => {
  for (const value of [0n, 1n, -5n, 2n ** 53n - 1n]) assertEquals(BigInt(toNumber(value)), value);
  for (const value of [2n ** 53n, -(2n ** 53n), 2n ** 63n]) assertThrows(() => toNumber(value), RangeError);
});

Deno.test("labelChange() masks each label that is set or removed", () => {
  assertEquals(labelChange({ "a.b/c": "1", "d": "" }), {
    labels: { "a.b/c": "1" },
    updateMask: ["labels.a.b/c", "labels.d"],
  });
  assertEquals(labelChange({}), { labels: {}, updateMask: [] });
});
