import { assertEquals } from "@std/assert";
import { missingFix } from "../../../lib/doctor/version.ts";

const fixedIn = ["1.7.33", "2.0.10", "2.1.9", "2.2.5"];

for (
  const [version, fix] of [
    ["v1.7.24", "1.7.33"],
    ["1.7.24~ds1", "1.7.33"],
    ["1.7.33~ds1", undefined],
    ["1.7.33-0ubuntu1", undefined],
    ["v2.1.9-rc.1", "2.1.9"],
    ["2.1.9~rc1", "2.1.9"],
    ["2.1.9", undefined],
    ["v2.1.10", undefined],
    ["1.6.20~ds1", ""],
    ["1.6.999", ""],
    ["2.3.0", undefined],
    ["3.0.0-beta.1", undefined],
    ["unknown", undefined],
    ["", undefined],
  ] as const
) {
  Deno.test(`missingFix() of ${JSON.stringify(version)} is ${JSON.stringify(fix)}`, () => {
    assertEquals(missingFix(version, fixedIn), fix);
  });
}
