/** What to say when a namespace is removed, or is not. */
import { FailedPreconditionError, type PurgePlan } from "../mod.ts";
import { CliError } from "./errors.ts";
import { formatBytes } from "./format.ts";

/** Names what would allow a removal that was refused. */
export function explained({ purge = false }: { purge?: boolean } = {}): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof FailedPreconditionError)) throw error;
    const hint = [...hints, ...(purge ? purgeHints : [])].findLast(([reason]) => reason.test(error.message))
      ?.[1];
    throw new CliError(error.message, { code: error.code, hint, cause: error });
  };
}

const hints: readonly (readonly [RegExp, string])[] = [
  [/ protected/, "--allow-protected removes it all the same"],
  [/ lease /, "--delete-leases removes it all the same"],
  [/ must be empty/, "--purge removes all that it holds with it"],
];

const purgeHints: readonly (readonly [RegExp, string])[] = [
  [/ must be empty/, "something writes to it faster than it can be emptied: end that first"],
  [
    / snapshots on /,
    "containerd cannot remove snapshots of a snapshotter that does not run: see davit daemon plugins",
  ],
];

/** The error for what was done, and was of no use: exit 3. */
export function reappeared(name: string): CliError {
  return new CliError(`Namespace ${JSON.stringify(name)} is there again, because something writes to it`, {
    code: "found",
  });
}

/** What goes with a namespace, in words. */
export function describePurge({ namespace, tasks, sandboxes, containers, images, bytes }: PurgePlan): string {
  const counts = Object.entries({ tasks, ...(sandboxes > 0 && { sandboxes }), containers, images });
  const parts = [...counts.map(([what, count]) => `${count} ${what}`), `content of ${formatBytes(bytes)}`];
  return `namespace ${JSON.stringify(namespace)} with ${parts.join(", ")}`;
}
