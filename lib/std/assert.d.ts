/** The part of `@std/assert` that davit's tests use. */

/** Throws unless the condition is truthy. */
export function assert(condition: unknown, message?: string): asserts condition;
/** Throws unless both are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, message?: string): void;
/** Throws where there is `null` or `undefined`. */
export function assertExists<T>(actual: T, message?: string): asserts actual is NonNullable<T>;
/** Throws unless it is an instance of the class. */
export function assertInstanceOf<E>(
  actual: unknown,
  // deno-lint-ignore no-explicit-any
  expected: abstract new (...args: any[]) => E,
  message?: string,
): asserts actual is E;
/** Throws unless the expression matches somewhere in the text. */
export function assertMatch(actual: string, expected: RegExp, message?: string): void;
/** Throws where both are deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, message?: string): void;
/** Rejects unless the body does, with an error of the class that has the text in its message; resolves to it. */
export function assertRejects<E extends Error = Error>(
  body: () => PromiseLike<unknown>,
  // deno-lint-ignore no-explicit-any
  expected?: abstract new (...args: any[]) => E,
  includes?: string,
  message?: string,
): Promise<E>;
/** Throws unless the text has the other one in it. */
export function assertStringIncludes(actual: string, expected: string, message?: string): void;
/** Throws unless the body does, with an error of the class that has the text in its message; returns it. */
export function assertThrows<E extends Error = Error>(
  body: () => unknown,
  // deno-lint-ignore no-explicit-any
  expected?: abstract new (...args: any[]) => E,
  includes?: string,
  message?: string,
): E;
