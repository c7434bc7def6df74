import { compare, parseRange, type Range, satisfies, type SemVer, tryParse } from "@std/semver";

/** By what tags of one repository are sorted: when they came, as versions, or as people would sort names. */
export type TagOrder = "time" | "semver" | "natural";

/** A tag with the time of its record. */
export interface TimedTag {
  tag: string;
  updatedAt: Date;
}

/** The version that a tag names: `1.2.3`, `v1.2`, `3`, `1.27-alpine`; `undefined` when it names none. */
export function versionOf(tag: string): SemVer | undefined {
  const [, core, rest] = /^v?(\d+(?:\.\d+){0,2})((?:[-+].*)?)$/.exec(tag) ?? [];
  if (core === undefined) return undefined;
  const numbers = core.split(".");
  while (numbers.length < 3) numbers.push("0");
  return tryParse(numbers.map(Number).join(".") + rest);
}

/**
 * Whether a tag names a version of a range, as a predicate.
 *
 * @throws {SyntaxError} when the range is malformed.
 */
export function inRange(text: string): (tag: string) => boolean {
  let range: Range;
  try {
    range = parseRange(text);
  } catch (cause) {
    throw new SyntaxError(
      `Cannot read version range ${JSON.stringify(text)}: it is like ">=1.2 <2" or "^1.2"`,
      {
        cause,
      },
    );
  }
  return (tag) => {
    const version = versionOf(tag);
    return version !== undefined && satisfies(version, range);
  };
}

/** Sorts tags, the newest first; where versions are wanted, tags that name none come last, by time. */
export function newestFirst(order: TagOrder): (a: TimedTag, b: TimedTag) => number {
  const byTime = (a: TimedTag, b: TimedTag) => b.updatedAt.getTime() - a.updatedAt.getTime();
  if (order === "time") return byTime;
  if (order === "natural") {
    const { compare } = new Intl.Collator("en", { numeric: true });
    return (a, b) => compare(b.tag, a.tag);
  }
  return (a, b) => {
    const [one, other] = [versionOf(a.tag), versionOf(b.tag)];
    if (one !== undefined && other !== undefined) return compare(other, one) || byTime(a, b);
    return Number(one === undefined) - Number(other === undefined) || byTime(a, b);
  };
}
