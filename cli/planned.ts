/** What a row says that something was changed. */
const changes: ReadonlySet<string> = new Set(["copied", "updated", "repaired", "removed"]);

/** A row whose status may be that of a plan. */
export type Planned<Row extends { status: string }> =
  & Omit<Row, "status">
  & { status: Row["status"] | `would be ${Row["status"]}` };

/** In a dry run, what a row says was done only would be. */
export function planned<Row extends { status: string }>(
  row: Row,
  { dryRun }: { dryRun: boolean },
): Planned<Row> {
  return dryRun && changes.has(row.status) ? { ...row, status: `would be ${row.status}` } : row;
}
