import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../cli/errors.ts";
import { flagsOf, tokenize } from "../../cli/tokenizer.ts";

const flags = flagsOf({
  namespace: { type: "string", summary: "" },
  output: { type: "string", summary: "" },
  dryRun: { type: "boolean", summary: "" },
  noHeaders: { type: "boolean", summary: "" },
  quiet: { type: "boolean", summary: "" },
  to: { type: "list", summary: "" },
}, new Map([["n", "namespace"], ["o", "output"], ["q", "quiet"]]));

function read(...argv: string[]) {
  const { flags: given, positionals } = tokenize(argv, { flags });
  return [...given, ...positionals.map((word) => `<${word}>`)];
}

function refusal(...argv: string[]): string {
  const { message, hint } = assertThrows(() => tokenize(argv, { flags }), UsageError);
  return hint === undefined ? message : `${message} | ${hint}`;
}

Deno.test("tokenize() takes flags in every order and both ways to give a value", () => {
  assertEquals(read("a", "--namespace", "x", "b", "-q"), ["--namespace=x", "--quiet=true", "<a>", "<b>"]);
  assertEquals(read("--namespace=x", "-n=y", "-n", "z"), ["--namespace=x", "--namespace=y", "--namespace=z"]);
  assertEquals(read("--to=a", "--to", "b"), ["--to=a", "--to=b"]);
});

Deno.test("tokenize() keeps values as they are", () => {
  assertEquals(read("-n", "007", "007"), ["--namespace=007", "<007>"]);
  assertEquals(read("--namespace=", "-n", ""), ["--namespace=", "--namespace="]);
  assertEquals(read("--namespace=-x", "--to=a=b"), ["--namespace=-x", "--to=a=b"]);
  assertEquals(read("--namespace=a\nb\x1b"), ["--namespace=a\nb\x1b"]);
  assertEquals(read("--namespace==x"), ["--namespace==x"]);
});

Deno.test("tokenize() takes everything behind -- as positionals, and a lone dash anywhere", () => {
  assertEquals(read("-", "--", "-n", "--", "--bogus", "-"), ["<->", "<-n>", "<-->", "<--bogus>", "<->"]);
  assertEquals(read("-n", "-", "--"), ["--namespace=-"]);
});

Deno.test("tokenize() reads booleans with and without a value, and taken back", () => {
  assertEquals(read("--dry-run", "--dry-run=false", "--no-dry-run", "--no-headers"), [
    "--dryRun=true",
    "--dryRun=false",
    "--dryRun=false",
    "--noHeaders=true",
  ]);
  assertEquals(read("--dry-run", "true"), ["--dryRun=true", "<true>"]);
  assertEquals(refusal("--dry-run=yes"), 'Cannot use "yes" for --dry-run: it takes no value');
});

Deno.test("tokenize() says where -- came, and knows short forms", () => {
  const known = flagsOf({
    detach: { type: "boolean", short: "d", summary: "" },
    user: { type: "string", short: "u", summary: "" },
  });
  assertEquals(tokenize(["a", "-d", "-u", "x", "--", "b", "-d"], { flags: known }), {
    flags: ["--detach=true", "--user=x"],
    positionals: ["a", "b", "-d"],
    rest: [],
    literalFrom: 1,
  });
});

Deno.test("tokenize() stops at the positional that completes the reading", () => {
  const isComplete = (words: readonly string[]) => words.length === 2;
  assertEquals(tokenize(["a", "-q", "b", "--bogus", "c"], { flags, isComplete }), {
    flags: ["--quiet=true"],
    positionals: ["a", "b"],
    rest: ["--bogus", "c"],
  });
  assertEquals(tokenize(["a", "--", "b", "-q"], { flags, isComplete }).rest, ["--", "-q"]);
});

for (
  const [argv, expected] of [
    [["-namespace", "x"], 'Unknown flag "-namespace" | did you mean --namespace?'],
    [["-nfoo"], 'Unknown flag "-nfoo" | did you mean "-n foo"?'],
    [["-qn"], 'Unknown flag "-qn" | did you mean "-q -n"?'],
    [["--n", "x"], 'Unknown flag "--n" | did you mean -n?'],
    [["-x"], 'Unknown flag "-x"'],
    [["-5"], 'Unknown flag "-5"'],
    [["--namepsace", "x"], 'Unknown flag "--namepsace" | did you mean --namespace?'],
    [["--names=x"], 'Unknown flag "--names" | did you mean --namespace?'],
    [["--dryRun"], 'Unknown flag "--dryRun" | did you mean --dry-run?'],
    [["--zzz"], 'Unknown flag "--zzz"'],
    [["--no-namespace"], 'Unknown flag "--no-namespace" | did you mean --namespace?'],
    [["--no-dry-run=true"], 'Unknown flag "--no-dry-run" | did you mean --dry-run?'],
    [["---namespace", "x"], 'Unknown flag "---namespace" | did you mean --namespace?'],
    [["--=x"], 'Unknown flag "--"'],
    [["-=x"], 'Unknown flag "-"'],
    [["--__proto__=x"], 'Unknown flag "--__proto__"'],
    [["--constructor"], 'Unknown flag "--constructor"'],
    [["-n"], "Missing value for -n"],
    [["a", "--to"], "Missing value for --to"],
    [
      ["--to", "--quiet"],
      "Missing value for --to | a value that starts with a dash is given as --to=--quiet",
    ],
    [["-n", "-q"], "Missing value for -n | a value that starts with a dash is given as -n=-q"],
    [["--to", "--"], "Missing value for --to | a value that starts with a dash is given as --to=--"],
    [["-v"], 'Unknown flag "-v" | davit has --version'],
    [["--format", "json"], 'Unknown flag "--format" | davit has -o json, and others: see --output'],
  ] as const
) {
  Deno.test(`tokenize() refuses ${argv.join(" ")}`, () => assertEquals(refusal(...argv), expected));
}
