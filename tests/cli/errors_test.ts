import { assertEquals } from "@std/assert";
import { CliError, exitOfCode, failureOf, Interrupted, outcomes, UsageError } from "../../cli/errors.ts";
import { containerdError, type ErrorCode, type Outcome } from "../../mod.ts";

function failed(code: ErrorCode, outcome: Outcome = "refused"): Error {
  return containerdError({ code, outcome, reason: "reason", action: "delete", resource: 'image "x"' });
}

/** What containerd may answer, and what it means for a run. */
const exitsOfContainerd = [
  ["invalid_argument", 2],
  ["out_of_range", 2],
  ["not_found", 4],
  ["already_exists", 5],
  ["failed_precondition", 5],
  ["aborted", 5],
  ["permission_denied", 6],
  ["unauthenticated", 6],
  ["unavailable", 7],
  ["deadline_exceeded", 8],
  ["unimplemented", 9],
  ["cancelled", 1],
  ["unknown", 1],
  ["resource_exhausted", 1],
  ["internal", 1],
  ["data_loss", 1],
] as const;

for (const [code, exit] of exitsOfContainerd) {
  Deno.test(`failureOf() gives ${code} of containerd exit ${exit}`, () => {
    const { exit: actual, code: told, message } = failureOf(failed(code));
    assertEquals([actual, told, message], [exit, code, 'Cannot delete image "x": reason']);
  });
}

Deno.test("failureOf() does not call containerd unreachable when the outcome of a write is unknown", () => {
  assertEquals(failureOf(failed("unavailable", "unknown")).exit, 1);
});

Deno.test("failureOf() knows davit's own errors and those of local input", () => {
  const exits = [
    new UsageError("x"),
    new CliError("x", { code: "plugin" }),
    new CliError("x", { code: "locked" }),
    new Interrupted("SIGINT"),
    new Interrupted("SIGTERM"),
    new SyntaxError("x"),
    new RangeError("x"),
    new Deno.errors.NotFound("x"),
    new Deno.errors.PermissionDenied("x"),
    new Deno.errors.NotCapable("x"),
    new Deno.errors.AlreadyExists("x"),
    new TypeError("x"),
    "a thrown text",
    undefined,
  ].map((error) => failureOf(error).exit);
  assertEquals(exits, [2, 10, 11, 130, 143, 2, 2, 4, 6, 6, 5, 1, 1, 1]);
});

Deno.test("failureOf() passes on hints, and says how to learn more of what nobody expected", () => {
  assertEquals(failureOf(new UsageError("Bad", "do good")), {
    code: "usage",
    message: "Bad",
    hint: "do good",
    exit: 2,
  });
  assertEquals(failureOf(new TypeError("x is not a function")).hint, "--debug shows where it comes from");
});

Deno.test("outcomes has each exit code and each error code once", () => {
  const exits = outcomes.map(({ exit }) => exit);
  assertEquals(exits, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 125, 126, 127, 130]);
  const codes = outcomes.flatMap(({ codes }) => codes);
  assertEquals(codes.length, new Set(codes).size);
  assertEquals(exitsOfContainerd.filter(([code]) => !codes.includes(code)), []);
  assertEquals(exitOfCode("no such code"), 1);
});

Deno.test("the README's table of exit codes says what outcomes says", async () => {
  const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
  const rows = [...readme.matchAll(/^\| (\d+) +\| (.*?) +\|$/gm)].map((
    [, exit, when],
  ) => [Number(exit), when]);
  assertEquals(rows, outcomes.map(({ exit, when }) => [exit, when]));
});
