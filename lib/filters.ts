/** The filter for an exact value of a field, quoted so that no value can change its meaning. */
export function equals(field: string, value: string): string {
  // containerd reads Go's string syntax, of which what JSON.stringify writes is a subset.
  return `${field}==${JSON.stringify(value)}`;
}
