/** Changes to a configuration file that leave what its writer wrote as it is. */
import { parseConfig } from "./config_file.ts";
import { UsageError } from "./errors.ts";

/**
 * The text of a configuration file with another context to use; all else of it stays, comments too.
 *
 * @throws {UsageError} when the file is not right, or is written in a way that this cannot change.
 */
export function withContext(text: string, { name, path }: { name: string; path: string }): string {
  const before = parseConfig(text, path);
  const value = JSON.stringify(name);
  const lines = text.split("\n");
  const at = lines.findIndex((line) => setting.test(line));
  const edited = at === -1
    ? inserted(lines, `context = ${value}`)
    : lines.with(at, lines[at]!.replace(setting, (_, key, rest) => `${key}${value}${rest}`)).join("\n");
  // What looks like the line may be a part of a text, or of another table.
  if (!isSame(parsed(edited, path), { ...before, context: name })) {
    throw new UsageError(
      `Cannot set the context in ${path}: its lines are not plain enough`,
      `write context = ${value} at its top`,
    );
  }
  return edited;
}

const setting = /^(\s*(?:context|"context"|'context')\s*=\s*)(?:"(?:[^"\\]|\\.)*"|'[^']*')(\s*(?:#[^]*)?)$/;

/** Below the comments at the top, since no table has begun there. */
function inserted(lines: readonly string[], line: string): string {
  const first = lines.findIndex((line) => !/^\s*(?:#|$)/.test(line));
  if (first === -1) {
    return [...lines.slice(0, -1), ...(lines.at(-1) ? [lines.at(-1)] : []), line, ""].join("\n");
  }
  const gap = /^\s*\[/.test(lines[first]!) ? [""] : [];
  return lines.toSpliced(first, 0, line, ...gap).join("\n");
}

function parsed(text: string, path: string): unknown {
  try {
    return parseConfig(text, path);
  } catch {
    return undefined;
  }
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
}

/** With the names in an object in order, as they come. */
function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1).map(([name, member]) => [name, sorted(member)]),
  );
}
