/** What a worker reports of an error becomes an error of davit, with the place in the plugin where it arose. */
import { codes } from "../../lib/host.ts";
import { containerdError, type ErrorDetails } from "../../mod.ts";
import { CliError, UsageError } from "../errors.ts";
import type { PluginFile } from "./file.ts";
import { cut } from "./limits.ts";

/** Which plugin failed, and what was being done with it. */
export interface Origin {
  file: PluginFile;
  stage: "load" | "run" | "test";
}

/**
 * The error for one that a worker reports: of containerd's, the same again; of its own
 * `UsageError`, one of usage; of others, one of code `plugin`.
 */
export function reportedFailure(report: unknown, { file, stage }: Origin): Error {
  const { name, message, stack, details } = Object(report) as Readonly<Record<string, unknown>>;
  const known = containerdErrorOf(details);
  if (known) return known;
  if (name === "UsageError" && stage === "run") return new UsageError(withoutColours(message));
  const reason = reasonOf({ name: cut(name), message: withoutColours(message), stage });
  const place = placeIn(withoutColours(stack), file);
  const text = withShownFiles(reason, file);
  return pluginFailure(place === undefined ? text : `${place}: ${text}`, {
    file,
    stage,
    hint: hintFor(reason),
  });
}

/** The error for an item that a plugin reports as failed: its words are the plugin's. */
export function reportedItem(report: unknown): Error {
  const { message, details } = Object(report) as Readonly<Record<string, unknown>>;
  return containerdErrorOf(details) ?? new Error(withoutColours(message));
}

/** The error of a plugin that does not load or fails. */
export function pluginFailure(
  reason: string,
  { file, stage, hint }: Origin & { hint?: string | undefined },
): CliError {
  const message = `Cannot ${stage} plugin ${JSON.stringify(file.target)}: ${reason}`;
  return new CliError(message, { code: "plugin", hint });
}

function containerdErrorOf(details: unknown): Error | undefined {
  return isDetails(details) ? containerdError(details) : undefined;
}

function isDetails(value: unknown): value is ErrorDetails {
  const { code, reason, outcome, action, resource, namespace, method } = Object(value);
  return codes.includes(code) && [reason, outcome, action].every((text) => typeof text === "string") &&
    [resource, namespace, method].every((text) => text === undefined || typeof text === "string");
}

/** What would allow what was denied, or help with what cannot be imported. */
function hintFor(reason: string): string | undefined {
  const [, permission, subject] = /^(\w+) access (?:to "(.*)" )?is denied$/.exec(reason) ?? [];
  if (permission !== undefined) {
    if (/^(read|net|env|run)$/.test(permission)) {
      return `--allow-${permission}=${subject ?? "…"} would allow it, as would the configuration`;
    }
    if (permission !== "import") return `no flag gives plugins ${permission} access`;
  }
  const isForeign = permission === "import" ||
    /not a dependency|^TypeError: .*\b(npm|jsr|https?):|^TypeError: (JSR package|npm specifiers|The lockfile)/
      .test(reason);
  return isForeign ? bundling : undefined;
}

const bundling = `plugins import "davit" and files beside them; put other packages into the file itself: ` +
  "deno bundle --external davit -o plugin.js plugin.ts";

function reasonOf(
  { name, message, stage }: { name: string; message: string; stage: Origin["stage"] },
): string {
  const denied = /^Requires (\w+ access(?: to .*)?), run again with the --allow-/.exec(message);
  if (denied) return `${denied[1]} is denied`;
  if (name === "DataCloneError") return `only plain data can leave a plugin: ${message.replace(/\.$/, "")}`;
  // Deno draws the place into the text of an error that a module has.
  const text = stage === "load" ? message.replace(/( at file:\S+)?(\n.*)?$/s, "") : message;
  return name === "Error" || /^\w*Error: /.test(text) ? text : `${name}: ${text}`;
}

/** The first place of a stack that is in the plugin: `./keep_last.ts:12:9`. */
function placeIn(stack: string, file: PluginFile): string | undefined {
  for (const [, url = "", line, column] of stack.matchAll(/(file:\/\/[^\s"'()]+?):(\d+):(\d+)/g)) {
    const shown = file.shown(url);
    if (shown !== undefined) return `${shown}:${line}:${column}`;
  }
}

function withShownFiles(text: string, file: PluginFile): string {
  return text.replace(/file:\/\/[^\s"'()]+/g, (url) => file.shown(url) ?? url);
}

function withoutColours(text: unknown): string {
  // deno-lint-ignore no-control-regex
  return cut(text).replace(/\x1b\[[\d;]*m/g, "");
}
