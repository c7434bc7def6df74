/** What came from outside as plain data, and what it has to be: the first mistake is told with its place. */
import { nearest } from "../mod.ts";

/** Throws a TypeError if a value is not what it should be; `at` is where it is found. */
export type Check = (value: unknown, at: string) => void;

/** An object that has these fields and no others; unknown ones come first, since they explain what is missing. */
export function fields(value: unknown, at: string, shape: Readonly<Record<string, Check>>): void {
  if (!isObject(value)) fail(at, "expected an object");
  const prefix = at === "" ? "" : `${at}.`;
  const known = Object.keys(shape);
  const unknown = Object.keys(value).find((name) => !Object.hasOwn(shape, name));
  if (unknown === undefined) {
    for (const [name, check] of Object.entries(shape)) check(value[name], `${prefix}${name}`);
    return;
  }
  const near = nearest(unknown, known);
  const meant = near === undefined ? `not one of ${known.join(", ")}` : `unknown; did you mean "${near}"?`;
  fail(`${prefix}${unknown}`, meant);
}

/** What may be absent. */
export function optional(check: Check): Check {
  return (value, at) => value === undefined || check(value, at);
}

/** An array of such values. */
export function listOf(check: Check): Check {
  return (value, at) => {
    if (!Array.isArray(value)) fail(at, "expected an array");
    value.forEach((item, index) => check(item, `${at}[${index}]`));
  };
}

/** One of these values. */
export function oneOf(...choices: unknown[]): Check {
  return (value, at) => {
    if (choices.includes(value)) return;
    const texts = choices.filter((choice) => typeof choice === "string");
    const near = typeof value === "string" ? nearest(value, texts) : undefined;
    const meant = near === undefined ? "" : `; did you mean "${near}"?`;
    fail(at, `expected ${choices.map((choice) => JSON.stringify(choice)).join(", ")}${meant}`);
  };
}

/** A text of a pattern; `what` says it in words. */
export function matching(pattern: RegExp, what: string): Check {
  return (value, at) => {
    if (typeof value !== "string" || !pattern.test(value)) fail(at, `expected ${what}`);
  };
}

/** A text of one line that is not empty. */
export function line(value: unknown, at: string): void {
  matching(/^\S(.*\S)?$/, "a line of text")(value, at);
}

/** Any text. */
export function string(value: unknown, at: string): void {
  if (typeof value !== "string") fail(at, "expected a text");
}

/** True or false. */
export function flag(value: unknown, at: string): void {
  if (typeof value !== "boolean") fail(at, "expected true or false");
}

/** Any finite number. */
export function number(value: unknown, at: string): void {
  if (!Number.isFinite(value)) fail(at, "expected a number");
}

/** A whole number. */
export function integer(value: unknown, at: string): void {
  if (!Number.isSafeInteger(value)) fail(at, "expected a whole number");
}

/** Whether a value is an object and no array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Throws a TypeError about the value at a place. */
export function fail(at: string, reason: string): never {
  throw new TypeError(at === "" ? reason : `${at}: ${reason}`);
}
