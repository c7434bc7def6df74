import { ContainerdError } from "../errors.ts";

/** Why a command could not be started: there is none of that name, or it is there and cannot be executed. */
export type CommandFailure = "not found" | "not executable";

/**
 * What a failed start means for the command. containerd passes on what the runtime says, which ends with the words of the
 * system about the program.
 */
export function commandFailure(error: unknown): CommandFailure | undefined {
  if (!(error instanceof ContainerdError)) return undefined;
  const about = /\bexec: "?.*$|\bexec user process.*$|\bexec .*: exec format error/.exec(error.reason)?.[0];
  if (about === undefined) return undefined;
  if (/executable file not found|no such file or directory/.test(about)) return "not found";
  if (
    /permission denied|is a directory|exec format error|not a directory|operation not permitted/.test(about)
  ) {
    return "not executable";
  }
  return undefined;
}
