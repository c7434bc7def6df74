import { assertEquals, assertThrows } from "@std/assert";
import { checkDefinition, checkDefinitions } from "../../../cli/plugin/definition.ts";

const sound = { name: "keep-last", summary: "Keep the newest" };
const option = { type: "integer", summary: "how many" };

Deno.test("checkDefinition() accepts all that a plugin can say of itself", () => {
  checkDefinition(sound);
  checkDefinition({ ...sound, options: undefined, access: {} });
  checkDefinition({
    ...sound,
    examples: ["keep-last --keep 3"],
    args: [{ name: "REF", summary: "one", choices: ["a", "b"] }, {
      name: "MORE",
      summary: "x",
      optional: true,
      repeats: true,
      completes: "image",
    }],
    options: {
      text: { type: "string", summary: "x", default: "a", choices: ["a", "b"], placeholder: "X" },
      number: { type: "integer", summary: "x", default: 0, min: -1, max: 9, required: false },
      share: { type: "number", summary: "x", default: 0.5, max: 1, env: "DAVIT_SHARE" },
      budget: { type: "size", summary: "x", min: 1024 },
      tag: { type: "string", summary: "x", pattern: "v[0-9]+" },
      rules: { type: "file", summary: "x", required: true },
      forReal: { type: "boolean", summary: "x" },
      unpack: { type: "boolean", summary: "x", default: true },
      writes: { type: "boolean", summary: "x", default: false },
      several: { type: "list", summary: "x", required: true, commas: true, completes: "namespace" },
      forms: { type: "list", summary: "x", choices: ["a", "b"], default: ["a"] },
      wait: { type: "duration", summary: "x", default: 1000, max: 2000, short: "w" },
    },
    columns: [{ header: "SIZE", key: "size", as: "bytes", wide: true }],
    plans: true,
    endless: true,
    access: { namespaces: ["a", "b"], write: "images" },
  });
});

const wrong: readonly [definition: unknown, said: string][] = [
  [undefined, "expected an object"],
  [[], "expected an object"],
  [{ summary: "x" }, "name: expected lower-case words with dashes"],
  ...["", "Keep", "keep_last", "-keep", "keep--last", "1st", "keep last", "keep\n", 5].map((
    name,
  ): [unknown, string] => [
    { ...sound, name },
    "name: expected lower-case words with dashes",
  ]),
  [{ name: "x" }, "summary: expected a line of text"],
  [{ ...sound, summary: "two\nlines" }, "summary: expected a line of text"],
  [{ name: "x", sumary: "x" }, 'sumary: unknown; did you mean "summary"?'],
  [{ ...sound, acess: {} }, 'acess: unknown; did you mean "access"?'],
  [
    { ...sound, version: "x" },
    "version: not one of name, summary, examples, args, options, columns, plans, repeatable, endless, access",
  ],
  [{ ...sound, examples: "x" }, "examples: expected an array"],
  [{ ...sound, examples: ["x", 1] }, "examples[1]: expected a line of text"],
  [{ ...sound, args: [{ name: "ref", summary: "x" }] }, "args[0].name: expected capitals"],
  [
    { ...sound, args: [{ name: "A", summary: "x", completes: "everything" }] },
    'args[0].completes: expected "namespace", "image", "content", "ingest", "snapshot", "snapshotter", "container", "task", "sandbox", ' +
    '"lease", "plugin", "context", "file"',
  ],
  [
    { ...sound, args: [{ name: "A", summary: "x", repeats: true }, { name: "B", summary: "x" }] },
    "args[0].repeats: only the last argument may repeat",
  ],
  [
    { ...sound, args: [{ name: "A", summary: "x", optional: true }, { name: "B", summary: "x" }] },
    "args[0].optional: a required argument follows",
  ],
  [{ ...sound, options: [] }, "options: expected an object"],
  [
    { ...sound, options: { keep: 5 } },
    'options.keep.type: expected "string", "integer", "number", "size", "boolean", "list", "duration", "file"',
  ],
  [
    { ...sound, options: { keep: { ...option, type: "float" } } },
    'options.keep.type: expected "string", "integer", "number", "size", "boolean", "list", "duration", "file"',
  ],
  [{ ...sound, options: { keep: { type: "integer" } } }, "options.keep.summary: expected a line of text"],
  [
    { ...sound, options: { keep: { ...option, default: "5" } } },
    "options.keep.default: expected a whole number",
  ],
  [
    { ...sound, options: { wait: { type: "duration", summary: "x", default: "30d" } } },
    "options.wait.default: expected a whole number of milliseconds",
  ],
  [
    { ...sound, options: { most: { type: "size", summary: "x", max: "1GiB" } } },
    "options.most.max: expected a whole number of bytes",
  ],
  [
    { ...sound, options: { keep: { ...option, short: "keep" } } },
    "options.keep.short: expected a letter",
  ],
  [
    { ...sound, options: { keep: { ...option, short: "n" } } },
    "options.keep.short: -n is --namespace of davit itself; use another letter",
  ],
  [
    { ...sound, options: { keep: { ...option, short: "k" }, most: { ...option, short: "k" } } },
    'options: two of them have "k" as their short form',
  ],
  [
    { ...sound, options: { keep: { ...option, choices: [1] } } },
    "options.keep.choices: not one of type, summary, short, placeholder, env, default, required, min, max",
  ],
  [
    { ...sound, options: { force: { type: "boolean", summary: "x", default: "true" } } },
    "options.force.default: expected true or false",
  ],
  [
    { ...sound, options: { writes: { type: "boolean", summary: "x", default: true } } },
    "options.writes.default: --no-writes, which would switch it off, is a flag of davit itself",
  ],
  [
    {
      ...sound,
      options: { force: { type: "boolean", summary: "x", default: true }, noForce: { ...option } },
    },
    "options.force.default: --no-force, which would switch it off, is another option",
  ],
  [
    { ...sound, options: { keep: { ...option, defualt: 5 } } },
    'options.keep.defualt: unknown; did you mean "default"?',
  ],
  [
    { ...sound, options: { keep: { ...option, default: 5, min: 6 } } },
    "options.keep.default: outside of min and max",
  ],
  [
    { ...sound, options: { keep: { ...option, min: 6, max: 5 } } },
    "options.keep.min: more than max, which is 5",
  ],
  [
    { ...sound, options: { keep: { ...option, default: 5, required: true } } },
    "options.keep.default: a required option has none",
  ],
  [
    { ...sound, access: { write: "image" } },
    'access.write: expected false, "images", "all"; did you mean "images"?',
  ],
  [
    { ...sound, options: { forms: { type: "list", summary: "x", choices: ["a"], default: ["a", "c"] } } },
    'options.forms.default: expected "a"',
  ],
  [
    { ...sound, options: { forms: { type: "list", summary: "x", default: ["a"], required: true } } },
    "options.forms.default: a required option has none",
  ],
  [
    { ...sound, options: { form: { type: "string", summary: "x", choices: ["a", "b"], default: "c" } } },
    'options.form.default: expected "a", "b"',
  ],
  [
    { ...sound, options: { form: { type: "string", summary: "x", choices: ["a"], pattern: "a" } } },
    "options.form.pattern: choices say already what is allowed",
  ],
  [
    { ...sound, options: { tag: { type: "string", summary: "x", pattern: "(" } } },
    "options.tag.pattern: expected a regular expression",
  ],
  ...["HOME", "AWS_SECRET_ACCESS_KEY", "davit_x", "DAVIT_"].map((env): [unknown, string] => [
    { ...sound, options: { keep: { ...option, env } } },
    "options.keep.env: expected a name that begins with DAVIT_, in capitals",
  ]),
  ...["k", "Keep", "keep-last", "keep_last", "", "__proto__x"].map((name): [unknown, string] => [
    { ...sound, options: { [name]: option } },
    `options.${name}: expected a name in camel case, of two characters or more`,
  ]),
  [
    { ...sound, options: { toString: option } },
    "options.toString: every JavaScript object has a field of that name; use another one",
  ],
  [{ ...sound, columns: [{ header: "A" }] }, "columns[0].key: expected a line of text"],
  [
    { ...sound, columns: [{ header: "A", key: "a", as: "date" }] },
    'columns[0].as: expected "text", "bytes", "age", "labels", "list"',
  ],
  [{ ...sound, plans: "yes" }, "plans: expected true or false"],
  [{ ...sound, access: { namespaces: "all" } }, 'access.namespaces: expected "current", "any"'],
  [{ ...sound, access: { namespaces: [""] } }, "access.namespaces[0]: expected a line of text"],
  [{ ...sound, access: { write: true } }, 'access.write: expected false, "images", "all"'],
  [{ ...sound, access: { net: true } }, "access.net: not one of namespaces, write"],
];

Deno.test("checkDefinition() says where a mistake is and what was expected", () => {
  for (const [definition, said] of wrong) {
    const { message } = assertThrows(() => checkDefinition(definition), TypeError);
    assertEquals(message, said);
  }
});

Deno.test("checkDefinitions() takes an array of plugins, each with a name of its own", () => {
  checkDefinitions(sound);
  checkDefinitions([sound, { ...sound, name: "other" }]);
  for (
    const [definitions, said] of [
      [[], "an array without plugins"],
      [[sound, { ...sound, summary: 1 }], "[1]: summary: expected a line of text"],
      [[sound, sound], '[1].name: "keep-last" is there twice'],
    ] as const
  ) {
    assertEquals(assertThrows(() => checkDefinitions(definitions), TypeError).message, said);
  }
});

Deno.test("checkDefinition() reserves the names of the global flags, also of those to come", () => {
  for (
    const name of [
      "namespace",
      "allNamespaces",
      "dryRun",
      "output",
      "quiet",
      "yes",
      "timeout",
      "help",
      "lock",
      "retries",
      "report",
      "context",
      "allowRead",
      "pluginDir",
    ]
  ) {
    const flag = `--${name.replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`)}`;
    assertThrows(
      () => checkDefinition({ ...sound, options: { [name]: option } }),
      TypeError,
      `options.${name}: ${flag} is a flag of davit itself; use another name`,
    );
  }
});
