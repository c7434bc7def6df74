/** A word as a POSIX shell reads it: quoted only where that is needed. */
export function shellQuoted(text: string): string {
  return /^[\w@./:=,+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
