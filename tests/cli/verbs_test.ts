import { assertEquals } from "@std/assert";
import { readCommandLine } from "../../cli/command_line.ts";
import { reservedOptions } from "../../cli/globals.ts";
import { helpOfNoun, helpOfVerb, overview } from "../../cli/help.ts";
import { type Noun, nouns, type VerbEntry, verbs } from "../../cli/verbs.ts";

const listed: [string[], VerbEntry][] = [
  ...nouns.flatMap((noun) =>
    noun.verbs.map((entry): [string[], VerbEntry] => [[noun.name, entry.name], entry])
  ),
  ...verbs.map((entry): [string[], VerbEntry] => [[entry.name], entry]),
];

for (const [words, entry] of listed) {
  const { load } = entry;
  if (load === undefined) continue; // a plugin is the verb
  Deno.test(`${words.join(" ")} describes itself as it is listed, has examples that are right, and help`, async () => {
    const { default: verb } = await load();
    assertEquals(verb.summary, entry.summary);
    assertEquals(Object.keys(verb.options ?? {}).filter((name) => reservedOptions.has(name)), []);
    for (const example of verb.examples ?? []) {
      const request = await readCommandLine(wordsOf(example), () => Promise.reject(new Error("a plugin")));
      assertEquals(request.kind === "run" && request.words, words, example);
    }
    const help = helpOfVerb(words, verb);
    assertEquals(
      help.startsWith(`davit ${words.join(" ")}: ${verb.summary}\n\nUsage: davit ${words.join(" ")}`),
      true,
    );
    assertEquals(help.split("\n").filter((line) => /[ \t]$/.test(line)), []);
  });
}

/** The words of a command line, of which some are in single quotes, without a redirection. */
function wordsOf(commandLine: string): string[] {
  return commandLine.replace(/ [<>] .*/, "").match(/'[^']*'|\S+/g)!.map((word) => word.replaceAll("'", ""));
}

Deno.test("every verb's module is listed", async () => {
  const cli = new URL("../../cli/", import.meta.url);
  const names = (await Array.fromAsync(Deno.readDir(cli), ({ name }) => name)).filter((name) =>
    /verbs\.ts$/.test(name)
  );
  const list = (await Promise.all(names.map((name) => Deno.readTextFile(new URL(name, cli))))).join("");
  for (const path of await modulesIn(new URL("../../cli/verbs/", import.meta.url), "./verbs/")) {
    assertEquals(list.includes(`import("${path}")`), true, path);
  }
});

async function modulesIn(folder: URL, prefix: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) paths.push(...await modulesIn(new URL(`${name}/`, folder), `${prefix}${name}/`));
    else paths.push(`${prefix}${name}`);
  }
  return paths;
}

Deno.test("no two nouns, and no two verbs of a noun, answer to the same word", () => {
  const groups: readonly (readonly (Noun | VerbEntry)[])[] = [
    [...nouns, ...verbs],
    ...nouns.map(({ verbs }) => verbs),
  ];
  for (const group of groups) {
    const words = ["help", ...group.flatMap(({ name, aliases = [] }) => [name, ...aliases])];
    assertEquals(words, [...new Set(words)]);
  }
});

Deno.test("helpOfNoun() lists the verbs with their aliases", () => {
  const noun = {
    name: "things",
    aliases: ["t"],
    summary: "What is there",
    verbs: [{ name: "list", aliases: ["ls"], summary: "List things", load: () => Promise.reject() }],
  };
  assertEquals(
    helpOfNoun(noun),
    `davit things: What is there

Usage: davit things VERB [flags] [arguments]

Aliases: t

Verbs:
  list, ls  List things
`,
  );
});

Deno.test("helpOfVerb() follows from the verb's data", () => {
  const verb = {
    summary: "Do it",
    examples: ["do it --to x"],
    args: [{ name: "A", summary: "first" }, { name: "B", summary: "others", optional: true, repeats: true }],
    options: {
      to: { type: "list", commas: true, required: true, placeholder: "PLACE", summary: "where to" },
      olderThan: { type: "duration", default: 3_600_000, summary: "how old" },
      order: { type: "string", choices: ["name", "age", "size"], default: "age", summary: "what first" },
      reallyNow: { type: "boolean", summary: "do not wait" },
      wash: { type: "boolean", default: true, summary: "clean it" },
      most: { type: "integer", min: 1, summary: "how many" },
      room: { type: "size", min: 1024, max: 2048, summary: "how much" },
      tag: { type: "string", pattern: "v[0-9]+", summary: "which" },
      only: { type: "list", default: ["a", "b"], summary: "which ones" },
    },
    run() {},
  } as const;
  assertEquals(
    helpOfVerb(["do", "it"], verb),
    `davit do it: Do it

Usage: davit do it A [B...] --to PLACE [flags]

Arguments:
  A       first
  [B...]  others

Flags:
  --to PLACE             where to (required; several, or separated by commas)
  --older-than DURATION  how old (default 1h)
  --order STRING         what first (name, age or size; default age)
  --really-now           do not wait
  --[no-]wash            clean it (on by default)
  --most INTEGER         how many (1 or more)
  --room SIZE            how much (1KiB to 2KiB)
  --tag STRING           which (matches v[0-9]+)
  --only STRING          which ones (default a,b; several)

Durations are like 90s, 15m, 1h30m, 7d or 2w. Sizes are like 500MB, 1.5GiB or 1024.

Examples:
  davit do it --to x

"davit --help" lists the global flags.
`,
  );
});

Deno.test("helpOfVerb() tells which global flags a verb takes, and that flags come before a command", () => {
  const verb = {
    summary: "Do it",
    args: [{ name: "WHAT", summary: "a command", optional: true, repeats: true }],
    commandAfter: 0,
    plans: true,
    repeatable: true,
    acrossNamespaces: true,
    run() {},
  } as const;
  assertEquals(
    helpOfVerb(["do"], verb),
    `davit do: Do it

Usage: davit do [flags] [WHAT...]

Arguments:
  [WHAT...]  a command

Takes --all-namespaces and --dry-run. With --retries it is tried again even after it has written.

"davit --help" lists the global flags.
`,
  );
});

Deno.test("overview() names every noun, every verb of its own and every global flag", () => {
  const text = overview();
  for (const { name, summary } of [...nouns, ...verbs]) {
    assertEquals(text.includes(name) && text.includes(summary), true, name);
  }
  for (
    const flag of [
      "-a, --address PATH",
      "-n, --namespace NAME",
      "-A, --all-namespaces",
      "-h, --help",
      "--no-create-namespace",
    ]
  ) {
    assertEquals(text.includes(`  ${flag}`), true, flag);
  }
  assertEquals(text.includes("\nDurations are like 90s, 15m, 1h30m, 7d or 2w.\n"), true);
});
