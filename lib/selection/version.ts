import { compare, parseRange, type Range, satisfies, type SemVer, tryParse } from "@std/semver";

export type { SemVer };

/** By what tags of one repository are sorted: when they came, as versions, or as people would sort names. */
export type TagOrder = "time" | "semver" | "natural";

/** A tag with the time of its record. */
export interface TimedTag {
  /** Such as `1.27-alpine`. */
  tag: string;
  /** When the name with this tag was last set. */
  updatedAt: Date;
}

/**
 * The version that a tag names: `1.2.3`, `v1.2`, `3`, `1.27-alpine`; `undefined` when it names none.
 *
 * ```ts
 * import { versionOf } from "davit";
 * import { assertEquals } from "davit/testing";
 *
 * assertEquals(versionOf("v1.27-alpine")?.minor, 27);
 * assertEquals(versionOf("latest"), undefined);
 * ```
 */
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
 * ```ts
 * import { inRange } from "davit";
 * import { assertEquals } from "davit/testing";
 *
 * assertEquals(["1.9", "1.10", "2.0.1", "latest"].filter(inRange(">=1.10 <2")), ["1.10"]);
 * ```
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
  const byTag = order === "natural" ? new Intl.Collator(...asPeopleDo).compare : compareVersions;
  return (a, b) => byTag(b.tag, a.tag) || byTime(a, b);
}

/**
 * Compares tags by the versions that they name, for `sort`: the oldest first, and before it those that name none.
 *
 * ```ts
 * import { compareVersions } from "davit";
 * import { assertEquals } from "davit/testing";
 *
 * assertEquals(["1.10", "v1.9", "2.0.0-rc.1", "2.0.0"].sort(compareVersions), ["v1.9", "1.10", "2.0.0-rc.1", "2.0.0"]);
 * ```
 */
export function compareVersions(a: string, b: string): number {
  const [one, other] = [versionOf(a), versionOf(b)];
  if (one !== undefined && other !== undefined) return compare(one, other);
  return Number(one !== undefined) - Number(other !== undefined);
}

/**
 * Compares texts as people do, numbers in them by their value, for `sort`.
 *
 * ```ts
 * import { compareNatural } from "davit";
 * import { assertEquals } from "davit/testing";
 *
 * assertEquals(["build-10", "build-9"].sort(compareNatural), ["build-9", "build-10"]);
 * ```
 */
export function compareNatural(a: string, b: string): number {
  return a.localeCompare(b, ...asPeopleDo);
}

const asPeopleDo = ["en", { numeric: true }] as const;
