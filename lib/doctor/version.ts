import { quoted } from "../oci/quoted.ts";
import type { Finding } from "./finding.ts";
import type { Scene } from "./scene.ts";

/** A hole, and the first release of each series without it. */
interface Advisory {
  id: string;
  what: string;
  fixedIn: readonly string[];
}

const advisories: readonly Advisory[] = [
  {
    id: "CVE-2026-53488",
    what:
      "labels of an image's config reach containers, where the restart monitor runs programs as root for them",
    fixedIn: ["1.7.33", "2.0.10", "2.1.9", "2.2.5", "2.3.2"],
  },
];

/** Finds known holes of the containerd that runs, as far as its version tells. */
export async function* findKnownHoles({ client, options }: Scene): AsyncIterable<Finding> {
  const { version } = await client.introspection.version(options);
  for (const { id, what, fixedIn } of advisories) {
    const fix = missingFix(version, fixedIn);
    if (fix === undefined) continue;
    yield {
      check: "known-hole",
      severity: "warning",
      what: `containerd ${quoted(version)}`,
      why: `${id}: ${what}; ${
        fix === "" ? "its series has no release without it" : `${fix} is without it`
      }, unless your distribution backported the fix`,
      commands: [["davit", "daemon", "version"]],
    };
  }
}

/**
 * The release in which a version's series is fixed, if it lacks the fix; empty when its series has none. What follows
 * the three numbers is the distribution's, but for `-rc.1` and the like, which come before them.
 */
export function missingFix(version: string, fixedIn: readonly string[]): string | undefined {
  const running = numbersOf(version);
  if (running === undefined) return undefined;
  const [major, minor, patch] = running;
  const fixes = fixedIn.map((text) => ({ text, numbers: numbersOf(text)! }));
  const ofSeries = fixes.find(({ numbers }) => numbers[0] === major && numbers[1] === minor);
  if (ofSeries === undefined) {
    const isNewer = fixes.every(({ numbers }) =>
      numbers[0] < major || numbers[0] === major && numbers[1] < minor
    );
    return isNewer ? undefined : "";
  }
  const isBefore = patch < ofSeries.numbers[2] ||
    patch === ofSeries.numbers[2] && /^v?[\d.]+[-~](?:alpha|beta|rc)/.test(version);
  return isBefore ? ofSeries.text : undefined;
}

function numbersOf(version: string): [number, number, number] | undefined {
  const [, ...numbers] = /^v?(\d+)\.(\d+)\.(\d+)/.exec(version) ?? [];
  const [major, minor, patch] = numbers.map(Number);
  return major === undefined || minor === undefined || patch === undefined
    ? undefined
    : [major, minor, patch];
}
