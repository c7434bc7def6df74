/**
 * A renaming by prefixes, for {@linkcode copyImages}: of the rules `OLD=NEW` whose OLD the name begins with, the
 * longest one counts.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { renamePrefixes } from "davit";
 *
 * const rename = renamePrefixes(["docker.io/library/=mirror.example.com/"]);
 * assertEquals(rename("docker.io/library/busybox:1.37"), "mirror.example.com/busybox:1.37");
 * assertEquals(rename("quay.io/app:1"), "quay.io/app:1");
 * ```
 *
 * @throws {SyntaxError} when a rule has no `=` or nothing before it.
 */
export function renamePrefixes(rules: readonly string[]): (name: string) => string {
  const pairs = rules.map((rule): [string, string] => {
    const at = rule.indexOf("=");
    if (at < 1) throw new SyntaxError(`Cannot rename by ${JSON.stringify(rule)}: not of the form OLD=NEW`);
    return [rule.slice(0, at), rule.slice(at + 1)];
  }).sort(([a], [b]) => b.length - a.length);
  return (name) => {
    const rule = pairs.find(([old]) => name.startsWith(old));
    return rule ? `${rule[1]}${name.slice(rule[0].length)}` : name;
  };
}
