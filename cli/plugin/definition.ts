/** What a plugin says of itself, checked: it comes from a worker as plain data that may be anything. */
import type { Access, Argument, Completes, Option, Plugin } from "../../mod.ts";
import { reservedOptions } from "../globals.ts";
import { flagName } from "../options.ts";

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
    access: optional(access),
  });
  checkOrder((data as Definition).args ?? []);
}

/** Throws if a value is not what it should be; `at` is where it is found. */
type Check = (value: unknown, at: string) => void;

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
  "lease",
  "plugin",
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
  }
}

function checkOptionName(name: string): void {
  const at = `options.${name}`;
  if (!/^[a-z][A-Za-z0-9]+$/.test(name)) fail(at, "expected a name in camel case, of two characters or more");
  if (reservedOptions.has(name)) fail(at, `--${flagName(name)} is a flag of davit itself; use another name`);
  if (name in {}) fail(at, "every JavaScript object has a field of that name; use another one");
}

function checkOption(value: unknown, at: string): void {
  const facts = { type: string, summary: line, placeholder: optional(line) };
  const required = optional(flag);
  const shapes: Readonly<Record<Option["type"], Readonly<Record<string, Check>>>> = {
    string: {
      ...facts,
      default: optional(string),
      required,
      choices: optional(listOf(line)),
      completes: optional(completes),
    },
    integer: {
      ...facts,
      default: optional(integer),
      required,
      min: optional(integer),
      max: optional(integer),
    },
    number: {
      ...facts,
      default: optional(number),
      required,
      min: optional(number),
      max: optional(number),
    },
    size: { ...facts, default: optional(integer), required },
    boolean: facts,
    list: { ...facts, required, commas: optional(flag), completes: optional(completes) },
    duration: { ...facts, default: optional(integer), required },
  };
  const type = isObject(value) ? value.type : undefined;
  oneOf(...Object.keys(shapes))(type, `${at}.type`);
  fields(value, at, shapes[type as Option["type"]]);
}

function column(value: unknown, at: string): void {
  fields(value, at, {
    header: line,
    key: line,
    as: optional(oneOf("text", "bytes", "age", "labels", "list")),
    wide: optional(flag),
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

function fields(value: unknown, at: string, shape: Readonly<Record<string, Check>>): void {
  if (!isObject(value)) fail(at, "expected an object");
  const prefix = at === "" ? "" : `${at}.`;
  for (const [name, check] of Object.entries(shape)) check(value[name], `${prefix}${name}`);
  const unknown = Object.keys(value).find((name) => !Object.hasOwn(shape, name));
  if (unknown !== undefined) fail(`${prefix}${unknown}`, `not one of ${Object.keys(shape).join(", ")}`);
}

function optional(check: Check): Check {
  return (value, at) => value === undefined || check(value, at);
}

function listOf(check: Check): Check {
  return (value, at) => {
    if (!Array.isArray(value)) fail(at, "expected an array");
    value.forEach((item, index) => check(item, `${at}[${index}]`));
  };
}

function oneOf(...choices: unknown[]): Check {
  return (value, at) => {
    if (!choices.includes(value)) {
      fail(
        at,
        `expected ${choices.map((choice) => JSON.stringify(choice)).join(", ")}`,
      );
    }
  };
}

function matching(pattern: RegExp, what: string): Check {
  return (value, at) => {
    if (typeof value !== "string" || !pattern.test(value)) fail(at, `expected ${what}`);
  };
}

function line(value: unknown, at: string): void {
  matching(/^\S(.*\S)?$/, "a line of text")(value, at);
}

function string(value: unknown, at: string): void {
  if (typeof value !== "string") fail(at, "expected a text");
}

function flag(value: unknown, at: string): void {
  if (typeof value !== "boolean") fail(at, "expected true or false");
}

function number(value: unknown, at: string): void {
  if (!Number.isFinite(value)) fail(at, "expected a number");
}

function integer(value: unknown, at: string): void {
  if (!Number.isSafeInteger(value)) fail(at, "expected a whole number");
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fail(at: string, reason: string): never {
  throw new TypeError(at === "" ? reason : `${at}: ${reason}`);
}
