/** A containerd in which every reading verb finds something, and the command lines that read it. */
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import type { Containerd } from "../real/containerd.ts";
import {
  busyboxImage,
  type Image,
  importWithCtr,
  multiPlatformImage,
  ociArchive,
  sparseImage,
} from "../real/images.ts";
import { davit } from "./verbs/davit.ts";

/** The namespace of images, content, snapshots and leases: all of it the same on every run. */
export const stored = "stored";

/** The namespace of containers and tasks. */
export const running = "running";

/** An image's name that would clear a terminal and take two lines of it. */
export const oddName = "example.com/odd\x1b[2J\nname:1";

/** A command line that reads, without the name of the program. */
export interface Reading {
  /** Noun and verb, or the verb alone. */
  verb: string;
  argv: readonly string[];
  /** What its exit code says of what is there. Default 0. */
  exit?: number;
}

/** What {@linkcode furnish} has made. */
export interface Furnished {
  app: Image;
  /** A folder for files, which the caller removes. */
  folder: string;
}

/** Furnishes the namespaces {@linkcode stored} and {@linkcode running} of a daemon that is the caller's alone. */
export async function furnish(containerd: Containerd, folder: string): Promise<Furnished> {
  const app = await multiPlatformImage({ name: "example.com/app:1", layerBytes: 4096 });
  const sparse = await sparseImage({ name: "example.com/sparse:1", layerBytes: 4096, seed: 5 });
  await importWithCtr(containerd, stored, ociArchive([app]));
  await importWithCtr(containerd, stored, ociArchive([sparse]), { allPlatforms: false });
  await importWithCtr(containerd, running, ociArchive([await busyboxImage()]), { unpack: true });
  await Deno.writeTextFile(join(folder, "blob"), "a blob");
  const inStored = (...argv: string[]) => succeed(containerd, ["-n", stored, ...argv]);
  await inStored("namespaces", "label", stored, "owner=ops");
  await inStored("images", "unpack", app.name);
  await inStored("images", "label", app.name, "owner=ops");
  await inStored("images", "pin", app.name);
  await inStored("images", "tag", app.name, oddName, "--skip-reference-check");
  await inStored("leases", "create", "upload", "--expires", "0", "--label", "owner=ops");
  await inStored("content", "ingest", "upload-1", join(folder, "blob"), "--lease", "upload");
  await inStored("snapshots", "prepare", "work");
  await leaveIngest(containerd, "half");
  const inRunning = (...argv: string[]) => succeed(containerd, ["-n", running, ...argv]);
  const log = new URL(`file://${join(folder, "web.log")}`).href;
  await inRunning("run", "-d", "--log-uri", log, "--label", "owner=ops", "busybox", "web", "sleep", "600");
  await inRunning("containers", "create", "busybox", "idle", "true");
  return { app, folder };
}

/** A command line that reads for every verb that returns rows and changes nothing. */
export function readings({ app }: Furnished): Reading[] {
  const [layer = ""] = app.blobs.keys();
  const inStored = (verb: string, ...words: string[]) => ({
    verb,
    argv: ["-n", stored, ...verb.split(" "), ...words],
  });
  const inRunning = (verb: string, ...words: string[]) => ({
    verb,
    argv: ["-n", running, ...verb.split(" "), ...words],
  });
  return [
    inStored("namespaces list"),
    inStored("namespaces inspect", stored),
    inStored("images list"),
    inStored("images inspect", app.name),
    inStored("images history", app.name),
    { ...inStored("images check", "--all-platforms"), exit: 3 },
    inStored("images usage", app.name),
    inStored("images label", app.name),
    inStored("images df"),
    inStored("content list"),
    inStored("content info", layer),
    inStored("content label", layer),
    inStored("content active"),
    inStored("content verify"),
    inStored("snapshots list"),
    inStored("snapshots tree"),
    inStored("snapshots info", "work"),
    inStored("snapshots usage"),
    inStored("snapshots mounts", "/mnt", "work"),
    inStored("snapshots label", "work"),
    inRunning("containers list"),
    inRunning("containers info", "web"),
    inRunning("containers label", "web"),
    inRunning("tasks list"),
    inRunning("tasks ps", "web"),
    inRunning("tasks metrics"),
    inStored("leases list"),
    inStored("leases info", "upload"),
    inStored("leases resources", "upload"),
    inStored("leases recover", "--dry-run"),
    inStored("daemon info"),
    inStored("daemon plugins", "type==io.containerd.content.v1"),
    inStored("daemon deprecations"),
    inStored("daemon version"),
    inStored("deprecations list"),
    inStored("plugin list"),
    inStored("plugin info", "image-sync"),
    inStored("schedule systemd", "--name", "copy", "--", "df"),
    inStored("schedule cron", "--name", "copy", "--", "df"),
    inStored("context list"),
    inStored("context show"),
    inStored("df"),
    { ...inStored("doctor", "--older-than", "0s"), exit: 3 },
    inStored("why", layer),
    inStored("info"),
    inStored("version"),
    inRunning("ps"),
    inStored("completion", "bash"),
  ];
}

/** Runs davit, which must end with exit 0. */
export async function succeed(containerd: Containerd, argv: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await davit(containerd, argv);
  assertEquals([code, stderr.includes("davit: ")], [0, false], `${argv.join(" ")}\n${stderr}`);
  return stdout;
}

/** Leaves a blob of which the first half was written: ctr gives up and does not abort. */
async function leaveIngest(containerd: Containerd, ref: string): Promise<void> {
  const stdin = new TextEncoder().encode("the first half");
  const ingest = ["content", "ingest", "--expected-size", "28", ref];
  await containerd.ctr(ingest, { namespace: stored, stdin, check: false });
  assertEquals(await succeed(containerd, ["-n", stored, "content", "active", "-q"]), `${ref}\n`);
}
