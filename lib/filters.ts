/** The filter for an exact value of a field, quoted so that no value can change its meaning. */
export function equals(field: string, value: string): string {
  return `${field}==${quoted(value)}`;
}

/** containerd reads Go's string syntax; JSON's is a subset of it but for the escape of `/`, which JSON.stringify never writes. */
function quoted(value: string): string {
  return JSON.stringify(value);
}
