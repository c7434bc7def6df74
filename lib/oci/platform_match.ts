import { normalizePlatform, type Platform } from "./platform.ts";

/**
 * Whether an image for `candidate` runs on `wanted`, as containerd decides it: an `arm/v7` also runs `arm/v6` and
 * `arm/v5`, an `arm64` also `arm`, an `amd64` also its lower levels and `386`.
 *
 * @see {@link https://github.com/containerd/platforms/blob/v1.0.0-rc.2/compare.go}
 */
export function matchesPlatform(wanted: Platform, candidate: Platform): boolean {
  return rank(candidate, runnableOn(wanted)) < Infinity;
}

/** The comparison that sorts what suits `wanted` best to the front, and what does not run on it to the back. */
export function byPreference(wanted: Platform): (a: Platform, b: Platform) => number {
  const runnable = runnableOn(wanted);
  return (a, b) => {
    const [rankOfA, rankOfB] = [rank(a, runnable), rank(b, runnable)];
    if (rankOfA !== rankOfB) return rankOfA - rankOfB;
    return (b.osFeatures?.length ?? 0) - (a.osFeatures?.length ?? 0);
  };
}

function rank(candidate: Platform, runnable: Platform[]): number {
  const normal = normalizePlatform(candidate);
  const index = runnable.findIndex((platform) => runsOn(platform, normal));
  return index < 0 ? Infinity : index;
}

function runsOn(platform: Platform, candidate: Platform): boolean {
  return platform.os === candidate.os && platform.architecture === candidate.architecture &&
    platform.variant === candidate.variant && hasFeatures(platform, candidate) &&
    isOfBuild(platform, candidate);
}

/** Every Windows with a screen has `win32k`, so images that ask for it run where nobody stated it. */
function hasFeatures({ os, osFeatures = [] }: Platform, candidate: Platform): boolean {
  return (candidate.osFeatures ?? []).every((feature) =>
    osFeatures.includes(feature) || (os === "windows" && feature === "win32k")
  );
}

/** Windows runs images of its own build; what Server 2022 and later run besides, only such a machine can tell. */
function isOfBuild({ os, osVersion }: Platform, candidate: Platform): boolean {
  if (os !== "windows" || osVersion === undefined || candidate.osVersion === undefined) return true;
  const build = (version: string) => version.split(".").slice(0, 3).join(".");
  return build(osVersion) === build(candidate.osVersion);
}

/** The platforms whose images run on this one, the best first. */
function runnableOn(wanted: Platform): Platform[] {
  const platform = normalizePlatform(wanted);
  const { architecture, variant = "" } = platform;
  const each = (architecture: string, variants: string[]) =>
    variants.map((variant) => normalizePlatform({ ...platform, architecture, variant }));
  switch (architecture) {
    case "amd64":
      return [...each("amd64", levels(variant, 1)), ...each("386", [""])];
    case "arm":
      return each("arm", levels(variant, 5));
    case "arm64":
      return [...each("arm64", arm64Levels(variant)), ...each("arm", levels("v8", 5))];
    default:
      return [platform];
  }
}

/** `v7` down to 5 is `v7`, `v6`, `v5`; a variant that is no such level stands for itself. */
function levels(variant: string, lowest: number): string[] {
  const level = Number(/^v(\d)$/.exec(variant)?.[1]);
  return level >= lowest ? Array.from({ length: level - lowest + 1 }, (_, i) => `v${level - i}`) : [variant];
}

/** ARMv9.x includes ARMv8.(x+5). */
function arm64Levels(variant: string): string[] {
  const [, major, minor = "0"] = /^v([89])(?:\.(\d))?$/.exec(variant || "v8") ?? [];
  if (major === undefined) return [variant];
  const down = (major: number, from: number) =>
    Array.from({ length: from + 1 }, (_, i) => `v${major}.${from - i}`);
  return major === "8"
    ? down(8, Number(minor))
    : [...down(9, Number(minor)), ...down(8, Math.min(Number(minor) + 5, 9))];
}
