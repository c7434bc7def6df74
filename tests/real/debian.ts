import { basename, join } from "@std/path";
import { firstLine, run } from "./process.ts";

/** The keyring that Debian's own base system ships; it signs every suite. */
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** Folder of the unpacked Debian package `name`, by default of the machine's own release. The first call downloads. */
export async function debianPackage(name: string, suite?: string): Promise<string> {
  suite ??= await machineSuite();
  const shelf = join(cacheFolder(), suite, name);
  await Deno.mkdir(shelf, { recursive: true });
  const unpacked = await unpackedIn(shelf);
  if (unpacked !== undefined) return unpacked;

  // One download per suite at a time: test processes race for it, and apt's lists are shared.
  using lock = await Deno.open(join(cacheFolder(), suite, "lock"), { create: true, write: true });
  await lock.lock(true);
  return await unpackedIn(shelf) ?? await download(name, { suite, shelf });
}

/** Path of a statically linked busybox, all a root filesystem needs. */
export async function busyboxStatic(): Promise<string> {
  const folder = await debianPackage("busybox-static");
  for (const path of ["usr/bin/busybox", "bin/busybox"].map((path) => join(folder, path))) {
    if (await isFile(path)) return path;
  }
  throw new Error(`Cannot find busybox in "${folder}"`);
}

/** Whether `path` is a regular file. */
export async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
}

function cacheFolder(): string {
  const given = Deno.env.get("DAVIT_TEST_CACHE");
  if (given) return given;
  const home = Deno.env.get("XDG_CACHE_HOME") || join(Deno.env.get("HOME") || "/root", ".cache");
  return join(home, "davit-tests");
}

/** Codename of the Debian release that runs, such as `bookworm`. */
async function machineSuite(): Promise<string> {
  const release = await Deno.readTextFile("/etc/os-release").catch(() => "");
  const codename = /^VERSION_CODENAME=(.+)$/m.exec(release)?.[1];
  if (!/^ID=debian$/m.test(release) || codename === undefined) {
    throw new Error("The machine does not run Debian");
  }
  return codename;
}

/** The one version on a shelf; names that start with a dot are unfinished. */
async function unpackedIn(shelf: string): Promise<string | undefined> {
  for await (const entry of Deno.readDir(shelf)) {
    if (!entry.name.startsWith(".")) return join(shelf, entry.name);
  }
}

async function download(name: string, { suite, shelf }: { suite: string; shelf: string }): Promise<string> {
  const failures: string[] = [];
  const temporary = await Deno.makeTempDir({ dir: shelf, prefix: "." });
  try {
    for (const mirror of await debianMirrors()) {
      try {
        const configuration = await ownAptConfiguration({ mirror, suite });
        await run("apt-get", ["-c", configuration, "update"]);
        await run("apt-get", ["-c", configuration, "download", name], { cwd: temporary });
      } catch (error) {
        failures.push(`${mirror}: ${firstLine(error)}`);
        continue;
      }
      return await unpack(temporary, shelf);
    }
  } finally {
    await Deno.remove(temporary, { recursive: true });
  }
  throw new Error(
    `Cannot download Debian package "${name}" of ${suite}: ${failures.join("; ") || "no mirror"}`,
  );
}

/** Moves the package that was downloaded into `temporary` to its final name in one step, so that none is ever half there. */
async function unpack(temporary: string, shelf: string): Promise<string> {
  for await (const { name } of Deno.readDir(temporary)) {
    if (!name.endsWith(".deb")) continue;
    const files = join(temporary, "files");
    await run("dpkg-deb", ["-x", join(temporary, name), files]);
    const folder = join(shelf, basename(name, ".deb"));
    await Deno.rename(files, folder);
    return folder;
  }
  throw new Error(`Cannot find a package in "${temporary}"`);
}

/** Debian mirrors in apt's own configuration, whatever its format, ports and proxies included: apt reads it for us. */
async function debianMirrors(): Promise<Set<string>> {
  const { stdout } = await run("apt-get", ["--print-uris", "update"]);
  const suites = [await machineSuite(), "stable", "testing", "unstable", "sid"];
  const sources = [...stdout.matchAll(/^'(\S+)\/dists\/([^/]+)\/main\//gm)];
  return new Set(sources.filter(([, , suite = ""]) => suites.includes(suite)).map(([, uri = ""]) => uri));
}

/** Writes a configuration with which apt-get sees one suite only and touches nothing but our cache. */
async function ownAptConfiguration({ mirror, suite }: { mirror: string; suite: string }): Promise<string> {
  const state = join(cacheFolder(), suite, "apt");
  await Deno.mkdir(join(state, "lists/partial"), { recursive: true });
  await Deno.mkdir(join(state, "cache/archives/partial"), { recursive: true });
  await Deno.writeTextFile(join(state, "status"), "");
  await Deno.writeTextFile(
    join(state, "sources.list"),
    `deb [signed-by=${KEYRING}] ${mirror} ${suite} main\n`,
  );
  const options = {
    "Dir::Etc::SourceList": join(state, "sources.list"),
    "Dir::Etc::SourceParts": "/dev/null",
    "Dir::Etc::Preferences": "/dev/null",
    "Dir::Etc::PreferencesParts": "/dev/null",
    "Dir::State::Lists": join(state, "lists"),
    "Dir::State::Status": join(state, "status"),
    "Dir::Cache": join(state, "cache"),
    "Acquire::Languages": "none",
    "APT::Sandbox::User": "root",
    "APT::Update::Error-Mode": "any",
  };
  const lines = Object.entries(options).map(([key, value]) => `${key} "${value}";\n`);
  const file = join(state, "apt.conf");
  await Deno.writeTextFile(file, lines.join(""));
  return file;
}
