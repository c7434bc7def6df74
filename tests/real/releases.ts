import { dirname, join } from "@std/path";
import { debianPackage, isFile } from "./debian.ts";
import { firstLine, run } from "./process.ts";

export { busyboxStatic, debianPackage } from "./debian.ts";

/** A line of containerd releases that davit supports. */
export type Series = "1.6" | "1.7" | "2";

/** A containerd that can be started. */
export interface Release {
  series: Series;
  /** As the binary says it, without the packager's suffix: `1.7.24`. */
  version: string;
  /** Folder with containerd, ctr and containerd-shim-runc-v2. */
  bin: string;
  /** PATH for the daemon and for ctr; runc is on it. */
  path: string;
}

/** A series that cannot be tested here. */
export interface Missing {
  series: Series;
  reason: string;
}

/** Every supported series, with the Debian suite that packages it. All three run on the oldest suite's glibc. */
const SUITES: readonly [Series, string][] = [["1.6", "bookworm"], ["1.7", "trixie"], ["2", "sid"]];

const PROGRAMS = ["containerd", "ctr", "containerd-shim-runc-v2"];

/**
 * Finds one containerd per supported series: Debian's packages, unpacked into the user's cache, else one that is
 * installed. The first call on a machine downloads about 100 MB, later ones need no network.
 */
export async function findReleases(): Promise<{ releases: Release[]; missing: Missing[] }> {
  const found = await Promise.all(SUITES.map(([series, suite]) => findRelease(series, suite)));
  return {
    releases: found.filter((found) => "version" in found),
    missing: found.filter((found) => "reason" in found),
  };
}

async function findRelease(series: Series, suite: string): Promise<Release | Missing> {
  if (Deno.build.os !== "linux") return { series, reason: "needs Linux" };
  if (Deno.uid() !== 0) return { series, reason: "needs root" };
  try {
    return await packaged(series, suite);
  } catch (error) {
    return await installed(series) ?? { series, reason: firstLine(error) };
  }
}

async function packaged(series: Series, suite: string): Promise<Release> {
  const bin = join(await debianPackage("containerd", suite), "usr/bin");
  const version = await versionIn(bin);
  if (!version.startsWith(`${series}.`)) throw new Error(`Debian ${suite} has containerd ${version}`);
  return { series, version, bin, path: searchPath(bin, await runcFolder()) };
}

/** A containerd on the machine's PATH, if it is complete and of this series. */
async function installed(series: Series): Promise<Release | undefined> {
  const bin = await folderOf("containerd");
  const runc = await folderOf("runc");
  if (bin === undefined || runc === undefined) return undefined;
  const complete = await Promise.all(PROGRAMS.map((program) => isFile(join(bin, program))));
  if (complete.includes(false)) return undefined;
  const version = await versionIn(bin);
  return version.startsWith(`${series}.`) ? { series, version, bin, path: searchPath(bin, runc) } : undefined;
}

async function versionIn(bin: string): Promise<string> {
  const { stdout } = await run(join(bin, "containerd"), ["--version"]);
  const version = / v?(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  if (version === undefined) {
    throw new Error(`Cannot read the version of "${bin}/containerd": "${stdout.trim()}"`);
  }
  return version;
}

/** runc must fit the machine's own glibc, so it never comes from a newer suite. */
async function runcFolder(): Promise<string> {
  const installed = await folderOf("runc");
  if (installed !== undefined) return installed;
  const root = await debianPackage("runc");
  for (const path of ["usr/sbin/runc", "usr/bin/runc"].map((path) => join(root, path))) {
    if (await isFile(path)) return dirname(path);
  }
  throw new Error(`Cannot find runc in "${root}"`);
}

async function folderOf(program: string): Promise<string | undefined> {
  for (const folder of searchPath().split(":")) {
    if (await isFile(join(folder, program))) return folder;
  }
}

function searchPath(...first: string[]): string {
  return [...first, Deno.env.get("PATH") ?? "", "/usr/sbin", "/usr/bin", "/sbin", "/bin"].filter(Boolean)
    .join(":");
}
