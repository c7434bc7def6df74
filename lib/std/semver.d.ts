/** The part of `@std/semver` that davit uses. */
export interface SemVer {
  /** The first number: 1 in `1.2.3`. */
  major: number;
  /** The second number: 2 in `1.2.3`. */
  minor: number;
  /** The third number: 3 in `1.2.3`. */
  patch: number;
  /** What follows a `-`, between dots: `["rc", 1]` in `1.2.3-rc.1`. */
  prerelease?: (string | number)[];
  /** What follows a `+`, between dots; it does not count in comparisons. */
  build?: string[];
}

/** Versions that belong together: any of the lists, all comparators of it. */
export type Range = unknown[][];

/** Sorts versions, the lower first. */
export function compare(version1: SemVer, version2: SemVer): -1 | 0 | 1;

/** Reads a range: `^1.2`, `>=1.2 <2`. Throws a `TypeError` when it is malformed. */
export function parseRange(value: string): Range;

/** Whether the version is in the range. */
export function satisfies(version: SemVer, range: Range): boolean;

/** Reads a version, with or without a `v` before it; `undefined` when it is none. */
export function tryParse(value?: string): SemVer | undefined;
