/** The part of `@std/toml` that davit uses. */
/** The table that a TOML text is. Throws when it is malformed. */
export function parse(text: string): Record<string, unknown>;
