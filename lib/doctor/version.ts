import type { NamespaceAccess } from "../client.ts";
import type { DaemonVersion } from "../introspection.ts";
import { quoted } from "../oci/quoted.ts";
import { advisories, type Advisory } from "./advisories.ts";
import type { Finding } from "./finding.ts";
import type { Scene } from "./scene.ts";
import type { CallOptions } from "../transport/transport.ts";

/** Finds known holes of the containerd that runs, as far as its version and its package tell. */
export async function* findKnownHoles({ client, options }: Scene): AsyncIterable<Finding> {
  const running = await client.introspection.version(options);
  const holes = knownHoles(running);
  const isForKubernetes = holes.some(({ inCri }) => inCri) && await hasCri(client, options);
  for (const { id, advisory, what, inCri, fix } of holes) {
    if (inCri && !isForKubernetes) continue;
    const without = fix === "" ? "its series has no release without it" : `${fix} is without it`;
    yield {
      check: "known-hole",
      severity: "warning",
      what: `containerd ${quoted(running.version)}`,
      why: `${id === advisory ? id : `${id} (${advisory})`}: ${what}; ${without}, ` +
        "unless your distribution backported the fix",
      commands: [["davit", "daemon", "version"]],
    };
  }
}

/** The holes that a containerd of this version and package has, each with the release to take: {@linkcode missingFix}. */
export function knownHoles({ version, revision }: DaemonVersion): (Advisory & { fix: string })[] {
  return advisories.flatMap((advisory) => {
    const { since, fixedIn, debian = [] } = advisory;
    if (since !== undefined && isBefore(version, since)) return [];
    if (debian.some((fixed) => hasPackage(revision, fixed))) return [];
    const fix = missingFix(version, fixedIn);
    return fix === undefined ? [] : [{ ...advisory, fix }];
  });
}

/**
 * The release in which a version's series is fixed, if it lacks the fix; empty when its series has none. What follows
 * the three numbers is the distribution's, but for `-rc.1` and the like, which come before them.
 */
export function missingFix(version: string, fixedIn: readonly string[]): string | undefined {
  const running = numbersOf(version);
  if (running === undefined) return undefined;
  const series = running.slice(0, 2);
  const ofSeries = fixedIn.find((fixed) => compare(numbersOf(fixed)!.slice(0, 2), series) === 0);
  if (ofSeries !== undefined) return isBefore(version, ofSeries) ? ofSeries : undefined;
  return fixedIn.every((fixed) => compare(numbersOf(fixed)!, running) < 0) ? undefined : "";
}

/** Whether a version comes before a release. */
function isBefore(version: string, release: string): boolean {
  const order = compare(numbersOf(version) ?? [], numbersOf(release)!);
  return order < 0 || order === 0 && /^v?[\d.]+[-~](?:alpha|beta|rc)/.test(version);
}

function numbersOf(version: string): number[] | undefined {
  return /^v?(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number);
}

/** Whether Debian's package is this one or a later one of the same version: `1.6.20~ds1-1+deb12u3`. */
function hasPackage(revision: string, fixed: string): boolean {
  const [version, numbers] = packageOf(revision);
  const [fixedVersion, fixedNumbers] = packageOf(fixed);
  return version === fixedVersion && compare(numbers, fixedNumbers) >= 0;
}

function packageOf(revision: string): [version: string, numbers: number[]] {
  const dash = revision.lastIndexOf("-");
  const numbers = revision.slice(dash + 1).match(/\d+/g) ?? [];
  return [revision.slice(0, Math.max(dash, 0)), numbers.map(Number)];
}

/** Compares lists of numbers, of which a longer one comes after one that it begins with. */
function compare(left: readonly number[], right: readonly number[]): number {
  for (const [at, number] of left.entries()) {
    const order = number - (right[at] ?? -1);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

/** Whether the plugin for Kubernetes runs. */
async function hasCri({ introspection }: NamespaceAccess, options: CallOptions): Promise<boolean> {
  for await (const { type, initError } of introspection.plugins({ filters: ["id==cri"], ...options })) {
    if (type === "io.containerd.grpc.v1" && initError === undefined) return true;
  }
  return false;
}
