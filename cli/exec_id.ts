import { UsageError } from "./errors.ts";

/** Without an exec id, containerd means the task itself. @throws {UsageError} when one is given that is empty. */
export function checkExecId(execId: string | undefined): void {
  if (execId === "") throw new UsageError('Cannot use "" for --exec-id: that would be the task itself');
}
