/** The reading of a configuration file, loaded where there is one. */
import { parse } from "@std/toml";
import { type Check, fail, fields, isObject, line, listOf, matching, oneOf, optional } from "./checks.ts";
import type { Config, ContextConfig, GrantConfig } from "./config.ts";
import { UsageError } from "./errors.ts";

/** A file, as it is written. */
interface FileTables {
  context?: string;
  contexts?: Record<string, ContextConfig>;
  plugins?: { folders?: string[] };
  grants?: Record<string, GrantConfig>;
}

/**
 * Reads a configuration file.
 *
 * @throws {UsageError} at the first mistake, with the file, and the line where that can be told.
 */
export function parseConfig(text: string, path: string): Partial<Config> {
  const tables = parsed(text, path);
  try {
    checkTables(tables);
  } catch (error) {
    const { message } = error as TypeError;
    throw new UsageError(`Cannot use configuration ${path}${lineOf(message, text)}: ${message}`);
  }
  const { context, contexts = {}, plugins: { folders = [] } = {}, grants = {} } = tables;
  return { ...(context !== undefined && { context }), contexts, pluginFolders: folders, grants };
}

function parsed(text: string, path: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    const [, line, reason] = /line (\d+),? column \d+:? ?(.*)$/s.exec((error as Error).message) ?? [];
    const at = line === undefined ? "" : `:${line}`;
    throw new UsageError(
      `Cannot read configuration ${path}${at}: ${firstLine(reason || (error as Error).message)}`,
    );
  }
}

function firstLine(text: string): string {
  return text.split("\n")[0]!;
}

function checkTables(tables: unknown): asserts tables is FileTables {
  fields(tables, "", {
    context: optional(line),
    contexts: optional(tablesOf((value, at) =>
      fields(value, at, {
        address: optional(line),
        namespace: optional(line),
      })
    )),
    plugins: optional((value, at) =>
      fields(value, at, {
        folders: optional(listOf(matching(/^\//, "an absolute path"))),
      })
    ),
    grants: optional(tablesOf((value, at) =>
      fields(value, at, {
        read: optional(listOf(matching(/^\//, "an absolute path"))),
        net: optional(listOf(line)),
        env: optional(listOf(line)),
        run: optional(listOf(line)),
        namespaces: optional(listOf(line)),
        write: optional(oneOf(false, "images", "all")),
      })
    )),
  });
}

function tablesOf(check: Check): Check {
  return (value, at) => {
    if (!isObject(value)) fail(at, "expected a table");
    for (const [name, table] of Object.entries(value)) check(table, `${at}.${name}`);
  };
}

/** The line of the key that a message begins with, if only one line can be meant. */
function lineOf(message: string, text: string): string {
  const key = /^[^:]*?([\w-]+)(?:\[\d+\])?: /.exec(message)?.[1];
  if (key === undefined) return "";
  const pattern = new RegExp(`^\\s*(?:\\[+[^\\]]*\\b${key}\\b[^\\]]*\\]|"?${key}"?\\s*=)`);
  const lines = text.split("\n").flatMap((line, index) => pattern.test(line) ? [index + 1] : []);
  return lines.length === 1 ? `:${lines[0]}` : "";
}
