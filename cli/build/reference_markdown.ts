/** The reference page, as Markdown. */
import { environment } from "../environment.ts";
import { outcomes } from "../errors.ts";
import { globals } from "../globals.ts";
import { argumentLines, flagLines, remarks, usageOf, valueForms } from "../help.ts";
import type { Column } from "../verb.ts";
import type { Chapter, Command } from "./reference_commands.ts";

/** The page, before it is formatted. */
export function markdownReference(chapters: readonly Chapter[]): string {
  return blocks([
    "# Reference",
    "Made by `deno task reference` from the same data that flags, `--help` and completion come from.",
    "```\ndavit [global flags] NOUN VERB [flags] [arguments]\ndavit [global flags] PLUGIN [flags] [arguments]\n```",
    "Global flags stand anywhere before `--`, a verb's own flags anywhere behind the verb. A value follows its flag as the " +
    `next word or behind \`=\`. ${valueForms().join(" ")}`,
    "`davit help NOUN VERB` and `davit NOUN VERB --help` show what this page says.",
    list(chapters.map(({ title, commands }) => contents(title, commands))),
    "## Global flags",
    table(["flag", "what it does"], flagLines(globals)),
    "## Environment variables",
    table(["variable", "what it does"], environment.map(({ name, summary }) => [name, summary])),
    "## Exit codes",
    table(["code", "when"], outcomes.map(({ exit, when }) => [String(exit), when])),
    ...chapters.flatMap(chapter),
  ]);
}

function contents(title: string, commands: readonly Command[]): string {
  const links = commands.map(({ words }) => `[${words.at(-1)}](#${words.join("-")})`);
  return `[${title}](#${title.toLowerCase().replaceAll(" ", "-")}): ${links.join(", ")}`;
}

function chapter({ title, summary, aliases, commands }: Chapter): (string | undefined)[] {
  return [
    `## ${title}`,
    `${escaped(summary)}.`,
    also(aliases),
    ...commands.flatMap(command),
  ];
}

function command({ words, aliases, verb }: Command): (string | undefined)[] {
  const { args = [], options = {}, columns = [], examples = [] } = verb;
  const remark = remarks(verb).join(" ").replace(/--[a-z-]+/g, code);
  return [
    `### ${words.join(" ")}`,
    `${escaped(verb.summary)}.`,
    `\`\`\`\n${usageOf(words, verb)}\n\`\`\``,
    also(aliases),
    table(["argument", "what it is"], argumentLines(args)),
    table(["flag", "what it does"], flagLines(options)),
    remark || undefined,
    columnsOf(columns),
    examples.length === 0
      ? undefined
      : `\`\`\`sh\n${examples.map((example) => `davit ${example}`).join("\n")}\n\`\`\``,
  ];
}

function also(aliases: readonly string[]): string | undefined {
  return aliases.length === 0 ? undefined : `Also: ${aliases.map(code).join(", ")}.`;
}

/** The columns, each with its field in JSON. */
function columnsOf(columns: readonly Column[]): string | undefined {
  if (columns.length === 0) return undefined;
  const named = (isWide: boolean) =>
    columns.filter(({ wide = false }) => wide === isWide).map(({ header, key, csv = [key] }) =>
      `${header} (${csv.map((field) => `\`${field}\``).join(", ")})`
    );
  const wide = named(true);
  const more = wide.length === 0 ? "" : `; with \`-o wide\` also ${wide.join(", ")}`;
  return `Columns, and their fields in JSON: ${named(false).join(", ")}${more}.`;
}

function table(
  header: readonly [string, string],
  rows: readonly (readonly string[])[],
): string | undefined {
  if (rows.length === 0) return undefined;
  const lines = rows.map(([first = "", second = ""]) => [code(first), escaped(second)]);
  return [header, ["---", "---"], ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function list(items: readonly string[]): string {
  return items.map((item) => `- ${item}`).join("\n");
}

function code(text: string): string {
  return `\`${text}\``;
}

function escaped(text: string): string {
  return text.replace(/[*<|[\]\\`]/g, "\\$&");
}

function blocks(all: readonly (string | undefined)[]): string {
  return `${all.filter((block) => block !== undefined).join("\n\n")}\n`;
}
