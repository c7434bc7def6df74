/** What a plugin says of itself, checked: it comes from a worker as plain data that may be anything. */
import type { Access, Argument, Completes, Option, Options, Plugin } from "../../mod.ts";
import {
  type Check,
  fail,
  fields,
  flag,
  integer,
  isObject,
  line,
  listOf,
  matching,
  number,
  oneOf,
  optional,
  string,
} from "../checks.ts";
import { reservedOptions, shortFlags } from "../globals.ts";
import { flagName, isOnByDefault } from "../options.ts";
import { wholePattern } from "./pattern.ts";

/** A plugin without its code. */
export type Definition = Omit<Plugin, "run">;

/** What a plugin may reach, with what holds for one that does not say. */
export function accessOf(
  { access: { namespaces = "current", write = false } = {} }: Definition,
): Required<Access> {
  return { namespaces, write };
}

/**
 * Checks a definition.
 *
 * @throws {TypeError} that says where the first mistake is, and what was expected there.
 */
export function checkDefinition(data: unknown): asserts data is Definition {
  fields(data, "", {
    name: matching(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, "lower-case words with dashes"),
    summary: line,
    examples: optional(listOf(line)),
    args: optional(listOf(argument)),
    options: optional(options),
    columns: optional(listOf(column)),
    plans: optional(flag),
    repeatable: optional(flag),
    endless: optional(flag),
    access: optional(access),
  });
  checkOrder((data as Definition).args ?? []);
}

/**
 * Checks what a file defines: a plugin, or an array of them.
 *
 * @throws {TypeError} like {@linkcode checkDefinition}.
 */
export function checkDefinitions(data: unknown): asserts data is Definition | Definition[] {
  if (!Array.isArray(data)) return checkDefinition(data);
  if (data.length === 0) fail("", "an array without plugins");
  const names = new Set<string>();
  data.forEach((definition, index) => {
    try {
      checkDefinition(definition);
    } catch (error) {
      fail(`[${index}]`, (error as Error).message);
    }
    if (names.has(definition.name)) fail(`[${index}].name`, `"${definition.name}" is there twice`);
    names.add(definition.name);
  });
}

function argument(value: unknown, at: string): void {
  fields(value, at, {
    name: matching(/^[A-Z][A-Z0-9_-]*$/, "capitals"),
    summary: line,
    optional: optional(flag),
    repeats: optional(flag),
    choices: optional(listOf(line)),
    completes: optional(completes),
  });
}

const completable: readonly Completes[] = [
  "namespace",
  "image",
  "content",
  "ingest",
  "snapshot",
  "snapshotter",
  "container",
  "task",
  "sandbox",
  "lease",
  "plugin",
  "context",
  "file",
];

const completes = oneOf(...completable);

/** Words on a command line are told apart by where they stand. */
function checkOrder(args: readonly Argument[]): void {
  args.slice(0, -1).forEach(({ repeats, optional }, at) => {
    if (repeats) fail(`args[${at}].repeats`, "only the last argument may repeat");
    if (optional && !args[at + 1]!.optional) fail(`args[${at}].optional`, "a required argument follows");
  });
}

function options(value: unknown, at: string): void {
  if (!isObject(value)) fail(at, "expected an object");
  for (const [name, option] of Object.entries(value)) {
    checkOptionName(name);
    checkOption(option, `${at}.${name}`);
    checkSwitch(name, { options: value as Options, at: `${at}.${name}.default` });
  }
  const letters = Object.values(value as Options).flatMap(({ short }) => short ?? []);
  const twice = letters.find((letter, index) => letters.indexOf(letter) < index);
  if (twice !== undefined) fail(at, `two of them have "${twice}" as their short form`);
}

/** The letters of global flags mean the same everywhere. */
function letter(value: unknown, at: string): void {
  matching(/^[A-Za-z]$/, "a letter")(value, at);
  const taken = shortFlags.get(value as string);
  if (taken !== undefined) fail(at, `-${value} is --${taken} of davit itself; use another letter`);
}

/** What is on by default can be switched off: its flag for that means nothing else. */
function checkSwitch(name: string, { options, at }: { options: Options; at: string }): void {
  if (!isOnByDefault(options[name]!)) return;
  const off = `no${name[0]!.toUpperCase()}${name.slice(1)}`;
  const told = `--${flagName(off)}, which would switch it off, is`;
  if (reservedOptions.has(off)) fail(at, `${told} a flag of davit itself`);
  if (Object.hasOwn(options, off)) fail(at, `${told} another option`);
}

function checkOptionName(name: string): void {
  const at = `options.${name}`;
  if (!/^[a-z][A-Za-z0-9]+$/.test(name)) fail(at, "expected a name in camel case, of two characters or more");
  if (reservedOptions.has(name)) fail(at, `--${flagName(name)} is a flag of davit itself; use another name`);
  if (name in {}) fail(at, "every JavaScript object has a field of that name; use another one");
}

function checkOption(value: unknown, at: string): void {
  const facts = {
    type: string,
    summary: line,
    short: optional(letter),
    placeholder: optional(line),
    env: optional(variable),
  };
  const required = optional(flag);
  const choices = optional(listOf(line));
  const numeric = (check: Check) => ({
    ...facts,
    default: optional(check),
    required,
    min: optional(check),
    max: optional(check),
  });
  const shapes: Readonly<Record<Option["type"], Readonly<Record<string, Check>>>> = {
    string: {
      ...facts,
      default: optional(string),
      required,
      choices,
      pattern: optional(pattern),
      completes: optional(completes),
    },
    integer: numeric(integer),
    number: numeric(number),
    size: numeric(whole("bytes")),
    boolean: { ...facts, default: optional(flag) },
    list: {
      ...facts,
      default: optional(listOf(string)),
      required,
      commas: optional(flag),
      choices,
      completes: optional(completes),
    },
    duration: numeric(whole("milliseconds")),
    file: { ...facts, required },
  };
  const type = isObject(value) ? value.type : undefined;
  oneOf(...Object.keys(shapes))(type, `${at}.type`);
  fields(value, at, shapes[type as Option["type"]]);
  checkDefault(value as unknown as DefaultFacts, at);
}

/** What a user gives with a unit, a definition has as a number. */
function whole(unit: string): Check {
  return (value, at) => {
    if (!Number.isSafeInteger(value)) fail(at, `expected a whole number of ${unit}`);
  };
}

interface DefaultFacts {
  default?: string | number | readonly string[];
  required?: boolean;
  choices?: readonly string[];
  pattern?: string;
  min?: number;
  max?: number;
}

/** A default is held to what values are held to. */
function checkDefault(option: DefaultFacts, at: string): void {
  const { default: value, required, choices, pattern, min = -Infinity, max = Infinity } = option;
  if (min > max) fail(`${at}.min`, `more than max, which is ${max}`);
  if (pattern !== undefined && choices) fail(`${at}.pattern`, "choices say already what is allowed");
  if (value === undefined) return;
  if (required) fail(`${at}.default`, "a required option has none");
  if (typeof value === "number") {
    if (value < min || value > max) fail(`${at}.default`, "outside of min and max");
  } else if (choices && ![value].flat().every((text) => choices.includes(text))) {
    fail(`${at}.default`, `expected ${choices.map((choice) => JSON.stringify(choice)).join(", ")}`);
  }
}

/** Which variables a plugin may ask for: a name of its own choice could be that of a secret. */
function variable(value: unknown, at: string): void {
  matching(/^DAVIT_[A-Z0-9]+(_[A-Z0-9]+)*$/, "a name that begins with DAVIT_, in capitals")(value, at);
}

function pattern(value: unknown, at: string): void {
  string(value, at);
  try {
    wholePattern(value as string);
  } catch {
    fail(at, "expected a regular expression");
  }
}

function column(value: unknown, at: string): void {
  fields(value, at, {
    header: line,
    key: line,
    as: optional(oneOf("text", "bytes", "age", "labels", "list")),
    wide: optional(flag),
    csv: optional(listOf(line)),
  });
}

function access(value: unknown, at: string): void {
  fields(value, at, {
    namespaces: optional((value, at) =>
      Array.isArray(value) ? listOf(line)(value, at) : oneOf("current", "any")(value, at)
    ),
    write: optional(oneOf(false, "images", "all")),
  });
}
