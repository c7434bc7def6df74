/** The manual page davit(1), in the man macros. */
import { environment } from "../environment.ts";
import { outcomes } from "../errors.ts";
import { globals } from "../globals.ts";
import { argumentLines, flagLines, remarks, usageOf, valueForms } from "../help.ts";
import { version } from "../version.ts";
import type { Chapter, Command } from "./reference_commands.ts";

/** The page as roff. */
export function manPage(chapters: readonly Chapter[]): string {
  const lines = [
    '.\\" Made by deno task reference.',
    `.TH DAVIT 1 "" "davit ${version}" "User Commands"`,
    ".SH NAME",
    "davit \\- images, containers and namespaces of containerd, and what keeps them there",
    ".SH SYNOPSIS",
    ...calls(["[global flags] NOUN VERB [flags] [arguments]", "[global flags] PLUGIN [flags] [arguments]"]),
    ".SH DESCRIPTION",
    text(
      "davit shows and changes what a containerd has, and runs TypeScript files as plugins. Global flags stand anywhere " +
        "before --, a verb's own flags anywhere behind the verb. A value follows its flag as the next word or behind =. " +
        valueForms().join(" "),
    ),
    ".SH GLOBAL FLAGS",
    ...definitions(flagLines(globals)),
    ...chapters.flatMap(chapter),
    ".SH EXIT STATUS",
    ...definitions(outcomes.map(({ exit, when }) => [String(exit), when])),
    ".SH ENVIRONMENT",
    ...definitions(environment.map(({ name, summary }) => [name, summary])),
    ".SH SEE ALSO",
    ".BR ctr (8),",
    ".BR containerd (8)",
  ];
  return `${lines.join("\n")}\n`;
}

function chapter({ title, summary, aliases, commands }: Chapter): string[] {
  return [
    `.SH ${text(title.toUpperCase())}`,
    text(`${summary}.${also(aliases)}`),
    ...commands.flatMap(command),
  ];
}

function command({ words, aliases, verb }: Command): string[] {
  const { args = [], options = {}, examples = [] } = verb;
  return [
    `.SS ${text(words.join(" "))}`,
    text([`${verb.summary}.${also(aliases)}`, ...remarks(verb)].join(" ")),
    ".PP",
    ...calls([usageOf(words, verb).replace(/^davit /, "")]),
    ...definitions([...argumentLines(args), ...flagLines(options)]),
    ...(examples.length === 0
      ? []
      : [".PP", ".nf", ...examples.map((line) => text(`    davit ${line}`)), ".fi"]),
  ];
}

function also(aliases: readonly string[]): string {
  return aliases.length === 0 ? "" : ` Also: ${aliases.join(", ")}.`;
}

function calls(all: readonly string[]): string[] {
  return all.flatMap((call, at) => [...(at === 0 ? [] : [".br"]), ".B davit", text(call)]);
}

function definitions(rows: readonly (readonly string[])[]): string[] {
  return rows.flatMap(([term = "", what = ""]) => [".TP", `.B ${text(term)}`, text(what)]);
}

/** A line of text: nothing in it is a request or an escape, and its dashes can be copied. */
function text(line: string): string {
  const safe = line.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("'", "\\(aq").replaceAll(
    "^",
    "\\(ha",
  )
    .replaceAll("~", "\\(ti").replaceAll("`", "\\(ga");
  return safe.startsWith(".") ? `\\&${safe}` : safe;
}
