/** What the `pattern` of an option means: it has to match all of a value. */
export function wholePattern(pattern: string): RegExp {
  return new RegExp(`^(?:${pattern})$`, "u");
}
