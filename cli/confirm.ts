import { CliError, UsageError } from "./errors.ts";
import { escapeControls } from "./escape.ts";
import type { Io } from "./io.ts";
import type { StderrLog } from "./log.ts";

/** Asks on the terminal whether to go on; only `y` and `yes` do. */
export async function confirm(question: string, { io, log }: { io: Io; log: StderrLog }): Promise<void> {
  log.end();
  const answer = await io.ask(`${escapeControls(question)} [y/N] `);
  if (answer === undefined) {
    throw new UsageError(
      `Cannot ask without a terminal: ${question}`,
      "--yes agrees beforehand; --dry-run shows what would be done",
    );
  }
  if (!/^y(?:es)?$/i.test(answer)) {
    throw new CliError("Not agreed to: nothing was changed", { code: "interrupted" });
  }
}
