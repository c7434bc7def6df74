/** What a command line takes from where it is typed, and does not find when a machine runs it by the clock. */
import type { Invocation } from "../command_line.ts";
import type { Origins } from "../config.ts";
import { globals as globalOptions } from "../globals.ts";
import type { Argument, Option, Options } from "../../mod.ts";

/** A line for each thing that the clock's run would not find. */
export function lostElsewhere(
  { words, verb, globals, options, args }: Extract<Invocation, { kind: "run" }>,
  origins: Origins = {},
): string[] {
  const table: Options = { ...globalOptions, ...verb.options };
  const values: Record<string, unknown> = { ...globals, ...options };
  const flags = Object.entries(table).filter(([, option]) => isPath(option))
    .flatMap(([name]) => [values[name]].flat());
  const named = args.filter((_, at) => isPath((verb.args ?? [])[at] ?? verb.args?.at(-1)));
  const paths = [words[0], ...flags, ...named].filter((value) => typeof value === "string");
  const variables = [
    ["--address", origins.address?.by, globals.address],
    ["--namespace", origins.namespace?.by, globals.namespace],
  ] as const;
  return [
    ...paths.filter(isRelative).map((path) =>
      `${JSON.stringify(path)} is a relative path, and the job starts in another folder`
    ),
    ...variables.filter(([, by, given]) => by?.startsWith("$") && given === undefined && !globals.context)
      .map(([flag, by]) => `${by} is set here and not for the job, which takes ${flag}`),
  ];
}

function isPath(one: Option | Argument | undefined): boolean {
  return one !== undefined &&
    ("type" in one && one.type === "file" || "completes" in one && one.completes === "file");
}

/** A word without a slash may be a name, `-` is stdin, and a URI says all. */
function isRelative(path: string): boolean {
  if (path.startsWith("/") || path === "-" || path.includes("://")) return false;
  return path.includes("/") || /\.\w+$/.test(path);
}
