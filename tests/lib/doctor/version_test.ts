import { assert, assertEquals, assertMatch } from "@std/assert";
import { advisories } from "../../../lib/doctor/advisories.ts";
import { knownHoles, missingFix } from "../../../lib/doctor/version.ts";

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

const later = ["CVE-2026-53495", "CVE-2026-53488", "CVE-2026-47262", "CVE-2026-46680"];
const folders = ["CVE-2025-64329", "CVE-2024-25621"];

for (
  const [version, revision, holes] of [
    ["1.6.20~ds1", "1.6.20~ds1-1+deb12u3", [...later, "GHSA-7ww5-4wqc-m92c"]],
    ["1.6.20~ds1", "1.6.20~ds1-1+deb12u2", [...later, "CVE-2025-64329", "GHSA-7ww5-4wqc-m92c"]],
    ["1.6.20~ds1", "1.6.20~ds1-1+b1", [...later, ...folders, "CVE-2024-40635", "GHSA-7ww5-4wqc-m92c"]],
    ["v1.6.39", "0123abc", [...later, ...folders]],
    ["1.7.24~ds1", "1.7.24~ds1-6+deb13u1", later],
    ["1.7.24~ds1", "1.7.24~ds1-6", [...later, ...folders]],
    ["1.7.24", "88bf19b2105c8b17560993bee28a01ddc2f97182", [...later, ...folders, "CVE-2024-40635"]],
    ["v1.7.35", "", []],
    ["v2.0.0", "", [...later, ...folders, "CVE-2024-40635"]],
    ["v2.0.4", "", [...later, ...folders, "CVE-2025-47291"]],
    ["v2.0.12", "", []],
    ["2.1.9+unknown", "", ["CVE-2026-53495"]],
    ["v2.2.8", "", []],
    ["v2.3.5", "", []],
    ["v2.4.0", "", []],
    ["unknown", "", []],
  ] as const
) {
  Deno.test(`knownHoles() of ${JSON.stringify([version, revision])} are ${holes.length}`, () => {
    assertEquals(knownHoles({ version, revision }).map(({ id }) => id), [...holes]);
  });
}

Deno.test("knownHoles() of 2.1.0 are those of checkpoints and of unpacking, too", () => {
  const ids = knownHoles({ version: "v2.1.0", revision: "" }).map(({ id }) => id);
  for (const id of ["CVE-2026-53492", "CVE-2026-53489", "CVE-2026-50195", "CVE-2025-47290"]) {
    assert(ids.includes(id), id);
  }
  assert(!ids.includes("CVE-2025-47291") && !ids.includes("CVE-2024-40635"));
});

Deno.test("advisories are told once each, with versions that can be read", () => {
  assertEquals(new Set(advisories.map(({ id }) => id)).size, advisories.length);
  assertEquals(new Set(advisories.map(({ advisory }) => advisory)).size, advisories.length);
  for (const { advisory, since = "0.0.0", fixedIn, what } of advisories) {
    assertMatch(advisory, /^GHSA(?:-[0-9a-z]{4}){3}$/);
    for (const version of [since, ...fixedIn]) assertMatch(version, /^\d+\.\d+\.\d+$/);
    assert(fixedIn.length > 0 && /^[a-z].*[^.]$/.test(what), advisory);
  }
});
