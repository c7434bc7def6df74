import { assertEquals } from "@std/assert";
import { Tally } from "../../cli/tally.ts";
import { containerdError, type ErrorCode } from "../../mod.ts";

async function tallied(
  { rows = [], failures = [] }: { rows?: unknown[]; failures?: ErrorCode[] },
): Promise<Tally> {
  const tally = new Tally();
  for (const code of failures) {
    tally.failed(containerdError({ code, reason: "", outcome: "refused", action: "x" }), () => {});
  }
  await Array.fromAsync(tally.counted(rows) as AsyncIterable<unknown>);
  return tally;
}

for (
  const [what, items, exit, summary] of [
    ["nothing", {}, 0, undefined],
    ["successes", { rows: ["a", "b"] }, 0, undefined],
    ["a single failure", { failures: ["not_found"] }, 4, undefined],
    ["failures for one cause", { failures: ["not_found", "not_found"] }, 4, "2 of 2 failed"],
    ["failures for several causes", { failures: ["not_found", "already_exists"] }, 3, "2 of 2 failed"],
    [
      "a failure among successes",
      { rows: ["a", { status: "copied" }], failures: ["not_found"] },
      3,
      "1 of 3 failed",
    ],
    [
      "a failure with a row of its own",
      { rows: [{ status: "failed" }], failures: ["not_found"] },
      4,
      undefined,
    ],
  ] as [string, Parameters<typeof tallied>[0], number, string | undefined][]
) {
  Deno.test(`Tally exits ${exit} for ${what}`, async () => {
    const tally = await tallied(items);
    assertEquals(tally.exit, exit);
    assertEquals(tally.summary?.message, summary);
    if (tally.summary) assertEquals(tally.summary.exit, exit);
  });
}

Deno.test("Tally exits 3 when something was found, unless something failed", async () => {
  const tally = await tallied({ rows: ["a"] });
  tally.found();
  assertEquals(tally.exit, 3);
  const failing = await tallied({ failures: ["permission_denied"] });
  failing.found();
  assertEquals(failing.exit, 6);
});

Deno.test("Tally reports what several items have in common once", () => {
  const tally = new Tally();
  const reported: string[] = [];
  for (const message of ["a", "b", "a"]) {
    tally.failed(new Error(message), (failure) => reported.push(failure.message));
  }
  assertEquals([reported, tally.summary?.message], [["a", "b"], "3 of 3 failed"]);
});
