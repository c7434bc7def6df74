import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../cli/errors.ts";
import { environmentFlags, flagName, optionValues } from "../../cli/options.ts";

const options = {
  form: { type: "string", choices: ["a", "b", "c"], default: "a", summary: "" },
  text: { type: "string", summary: "" },
  keep: { type: "integer", default: 5, min: 1, max: 10, summary: "" },
  number: { type: "integer", summary: "" },
  share: { type: "number", min: 0, max: 1, summary: "" },
  budget: { type: "size", summary: "" },
  olderThan: { type: "duration", summary: "" },
  force: { type: "boolean", summary: "" },
  unpack: { type: "boolean", default: true, summary: "" },
  to: { type: "list", commas: true, summary: "" },
  label: { type: "list", summary: "" },
} as const;

Deno.test("optionValues() fills in defaults, and undefined where there is none", () => {
  assertEquals(optionValues(options, {}), {
    form: "a",
    text: undefined,
    keep: 5,
    number: undefined,
    share: undefined,
    budget: undefined,
    olderThan: undefined,
    force: false,
    unpack: true,
    to: [],
    label: [],
  });
});

Deno.test("optionValues() puts what is given in the place of a list's default", () => {
  const options = { to: { type: "list", commas: true, default: ["a", "b"], summary: "" } } as const;
  assertEquals(optionValues(options, {}), { to: ["a", "b"] });
  assertEquals(optionValues(options, { to: ["c"] }), { to: ["c"] });
});

Deno.test("optionValues() gives each text the type of its option", () => {
  const texts = {
    form: "b",
    text: "007",
    keep: "010",
    number: "-3",
    share: "0.25",
    budget: "1.5GiB",
    olderThan: "1h30m",
    force: true,
    unpack: false,
    to: ["a,b", "c"],
    label: ["x=1,2", ""],
  };
  assertEquals(optionValues(options, texts), {
    ...texts,
    keep: 10,
    number: -3,
    share: 0.25,
    budget: 1_610_612_736,
    olderThan: 5_400_000,
    to: ["a", "b", "c"],
  } as unknown as ReturnType<typeof optionValues<typeof options>>);
});

for (
  const [texts, message] of [
    [{ form: "d" }, 'Cannot use "d" for --form: expected a, b or c'],
    [{ form: "" }, 'Cannot use "" for --form: expected a, b or c'],
    [{ keep: "0" }, 'Cannot use "0" for --keep: less than 1'],
    [{ keep: "11" }, 'Cannot use "11" for --keep: more than 10'],
    [{ keep: "1.5" }, 'Cannot use "1.5" for --keep: not a whole number'],
    [{ keep: "1e1" }, 'Cannot use "1e1" for --keep: not a whole number'],
    [{ keep: "" }, 'Cannot use "" for --keep: not a whole number'],
    [{ keep: " 5" }, 'Cannot use " 5" for --keep: not a whole number'],
    [{ share: "1.5" }, 'Cannot use "1.5" for --share: more than 1'],
    [{ share: "half" }, 'Cannot use "half" for --share: not a number'],
    [{ budget: "1X" }, 'Cannot use "1X" for --budget: expected a size, such as 500MB, 1.5GiB or 1024'],
    [{ number: "9007199254740993" }, 'Cannot use "9007199254740993" for --number: not a whole number'],
    [
      { olderThan: "90" },
      'Cannot use "90" for --older-than: expected a duration with units, such as 90s, 15m, 1h30m, 7d or 2w',
    ],
    [{ to: ["a,,b"] }, 'Cannot use "a,,b" for --to: an item is empty'],
    [{ to: [""] }, 'Cannot use "" for --to: an item is empty'],
  ] as const
) {
  Deno.test(`optionValues() refuses ${JSON.stringify(texts)}`, () => {
    assertEquals(assertThrows(() => optionValues(options, texts), UsageError).message, message);
  });
}

Deno.test("optionValues() insists on what is required", () => {
  const required = { to: { type: "list", required: true, summary: "where they go" } } as const;
  assertThrows(() => optionValues(required, {}), UsageError, "Missing --to: where they go");
  assertThrows(() => optionValues(required, { to: [] }), UsageError, "Missing --to");
  assertEquals(optionValues(required, { to: ["x"] }), { to: ["x"] });
});

Deno.test("flagName() writes capitals with dashes", () => {
  assertEquals(["to", "dryRun", "noCreateNamespace"].map(flagName), ["to", "dry-run", "no-create-namespace"]);
});

Deno.test("environmentFlags() gives what no flag does, and says which variable is wrong", () => {
  const table = {
    keep: { type: "integer", max: 9, env: "DAVIT_KEEP", summary: "" },
    to: { type: "list", choices: ["a", "b"], env: "DAVIT_TO", summary: "" },
    now: { type: "boolean", env: "DAVIT_NOW", summary: "" },
    other: { type: "string", summary: "" },
  } as const;
  const flagsOf = (variables: Record<string, string>, flags: string[] = []) =>
    environmentFlags(table, { flags, env: (name) => variables[name] });
  assertEquals(flagsOf({}), []);
  assertEquals(
    flagsOf({ DAVIT_KEEP: "3", DAVIT_TO: "a,b", DAVIT_NOW: "true", DAVIT_OTHER: "x" }),
    ["--keep=3", "--to=a", "--to=b", "--now=true"],
  );
  assertEquals(flagsOf({ DAVIT_KEEP: "x" }, ["--keep=3"]), []);
  for (
    const [variables, message] of [
      [{ DAVIT_KEEP: "x" }, 'Cannot use "x" for $DAVIT_KEEP: not a whole number'],
      [{ DAVIT_KEEP: "10" }, 'Cannot use "10" for $DAVIT_KEEP: more than 9'],
      [{ DAVIT_TO: "a,c" }, 'Cannot use "c" for $DAVIT_TO: expected a or b'],
      [{ DAVIT_NOW: "yes" }, 'Cannot use "yes" for $DAVIT_NOW: expected true or false'],
    ] as const
  ) {
    assertEquals(assertThrows(() => flagsOf(variables), UsageError).message, message);
  }
});
