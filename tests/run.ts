/**
 * Runs the tests and says at the end what was skipped and how many passed and failed.
 *
 * Arguments go to `deno test`, except `--full`, which adds the tests that take long.
 */
import { join } from "@std/path";
import { removeSharedFolders, sweepAbandoned } from "./real/leftovers.ts";
import { findReleases, type Missing, type Release } from "./real/releases.ts";
import { readReport, type Report } from "./report.ts";

async function main(args: string[]): Promise<number> {
  const { releases, missing } = await findReleases();
  for (const { version } of releases) await print(`Testing with containerd ${version}`);

  const folder = await Deno.makeTempDir({ prefix: "davit-report-" });
  try {
    const report = join(folder, "report.xml");
    const { success } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "--allow-all", `--junit-path=${report}`, ...args.filter((arg) => arg !== "--full")],
      env: args.includes("--full") ? { DAVIT_TEST_FULL: "1" } : {},
    }).spawn().status;
    return await conclude(await readReport(report), { success, missing });
  } finally {
    await Deno.remove(folder, { recursive: true });
    await clearUp(releases[0]);
  }
}

/** Prints the closing lines and returns the exit code. */
async function conclude(
  report: Report,
  { success, missing }: { success: boolean; missing: Missing[] },
): Promise<number> {
  const { passed, skipped } = report;
  // A module that does not load or a hook that throws fails the run and is in no report.
  const failed = success ? report.failed : Math.max(report.failed, 1);
  for (const { series, reason } of missing) await print(`No containerd ${series}: ${reason}`);
  for (const name of skipped) await print(`Skipped: ${name}`);
  if (passed + failed === 0) await print("No test ran");
  const counts = [`${passed} passed`, `${failed} failed`];
  if (skipped.length > 0) counts.push(`${skipped.length} skipped`);
  await print(counts.join(", "));
  return failed === 0 && passed > 0 ? 0 : 1;
}

/** Removes what a test process that crashed could not. */
async function clearUp(release: Release | undefined): Promise<void> {
  if (release === undefined) return;
  await sweepAbandoned(release);
  await removeSharedFolders();
}

async function print(line: string): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(`${line}\n`));
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
