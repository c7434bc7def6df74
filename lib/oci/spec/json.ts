/** Specifications as JSON. Go has integers of 64 bits, and a limit that there is not is the largest of them. */

/**
 * Reads a specification. An integer that a number cannot hold, such as that of an unlimited `RLIMIT_MEMLOCK`, becomes a
 * bigint.
 *
 * @throws {SyntaxError} when the text is no JSON.
 */
export function parseSpecJson(text: string): unknown {
  return parseWithSources(text, (_, value, { source = "" }) => {
    const isInexact = typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(source);
    return isInexact ? BigInt(source) : value;
  });
}

/** Writes a specification or a part of one, with all digits of each bigint. */
export function toSpecJson(spec: object): string {
  return JSON.stringify(spec, (_, value) => typeof value === "bigint" ? rawJson(String(value)) : value);
}

// TypeScript does not know yet what ECMAScript has for it.
const parseWithSources = JSON.parse as (
  text: string,
  reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
) => unknown;
const { rawJSON: rawJson } = JSON as unknown as { rawJSON(text: string): unknown };
