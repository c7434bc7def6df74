/** Labels that say what keeps a blob or an image alive in its own namespace; they mean nothing in another. */
const bound = /^containerd\.io\/gc\./;

/** Comma lists of the repositories that a blob was pulled from, by registry. */
const sources = "containerd.io/distribution.source.";

/** The label for the repositories of a registry; containerd leaves out its port. */
export function sourceLabel(domain: string): string {
  return sources + domain.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
}

/** The labels for a copy: what the original carries, without what binds it to its namespace. */
export function unbound(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !bound.test(key)));
}

/** The labels of `wanted` that `present` lacks or has otherwise; lists of sources are joined, not replaced. */
export function lacking(
  wanted: Readonly<Record<string, string>>,
  present: Readonly<Record<string, string>>,
): Record<string, string> {
  const merged = Object.entries(wanted).map(([key, value]) => {
    const before = present[key];
    return [key, key.startsWith(sources) && before ? union(before, value) : value] as const;
  });
  return Object.fromEntries(merged.filter(([key, value]) => present[key] !== value));
}

function union(a: string, b: string): string {
  return [...new Set([...a.split(","), ...b.split(",")])].join(",");
}
