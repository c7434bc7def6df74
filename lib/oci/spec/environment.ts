import { quoted } from "../quoted.ts";

/**
 * An environment with changes: `KEY=VALUE` replaces what has that key, where it stands, or comes last; `KEY` alone takes
 * it away.
 */
export function changedEnvironment(base: readonly string[], changes: readonly string[]): string[] {
  const variables = new Map(base.filter((entry) => entry !== "").map((entry) => [keyOf(entry), entry]));
  for (const change of changes) {
    const key = keyOf(change);
    if (change.includes("=")) variables.set(key, change);
    else variables.delete(key);
  }
  return [...variables.values()];
}

/**
 * The lines of a file with one `KEY=VALUE` or `KEY` in each; `#` begins a comment, empty lines count for nothing.
 *
 * @throws {SyntaxError} when a line has no key, or a NUL; `name` is that of the file.
 */
export function parseEnvironmentFile(text: string, name: string): string[] {
  return text.split("\n").flatMap((ended, at) => {
    const line = ended.replace(/\r$/, "");
    if (line.trim() === "" || line.trimStart().startsWith("#")) return [];
    const flaw = flawOf(line);
    if (flaw) throw new SyntaxError(`Cannot read environment file ${quoted(name)}: line ${at + 1} ${flaw}`);
    return [line];
  });
}

/**
 * Refuses what is no change to an environment: `KEY=VALUE`, or `KEY` alone to take a variable away.
 *
 * @throws {SyntaxError} when it is no change to an environment.
 */
export function checkEnvironment(change: string): void {
  const flaw = flawOf(change);
  if (flaw) throw new SyntaxError(`Cannot use ${quoted(change)} for the environment: it ${flaw}`);
}

function flawOf(change: string): string | undefined {
  if (keyOf(change) === "") return "has no key";
  return change.includes("\0") ? "holds a NUL character" : undefined;
}

function keyOf(entry: string): string {
  return entry.split("=", 1)[0]!;
}
