import { assert, assertEquals, assertMatch } from "@std/assert";
import { busyboxImage, importWithCtr, ociArchive } from "../../real/images.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { davit } from "./davit.ts";

realTest("daemon info says what ctr says, and more", async (_t, containerd) => {
  const { code, stdout } = await davit(containerd, ["daemon", "info"]);
  assertEquals(code, 0);
  const info = JSON.parse(stdout);
  assertEquals(info.version.split(/[~+]/)[0], containerd.release.version);
  assertEquals(info.contentSharingPolicy, "shared");
  assert(info.snapshotters.includes("overlayfs"));
  if (containerd.release.series === "1.6") return; // its ctr has no info, and itself tells little
  const ofCtr = JSON.parse((await containerd.ctr(["info"])).stdout);
  const { deprecations: _, ...server } = info.server;
  assertEquals(server, ofCtr.server);
  assertEquals(server.pid, containerd.pid);
  assertEquals((await davit(containerd, ["info"])).stdout, stdout);
});

realTest("daemon info knows an isolated content policy", async (_t, containerd) => {
  const { stdout } = await davit(containerd, ["daemon", "info", "-o", "json"]);
  assertEquals(JSON.parse(stdout).contentSharingPolicy, "isolated");
}, { policy: "isolated" });

realTest("daemon version says what ctr says of the server", async (_t, containerd) => {
  const { code, stdout } = await davit(containerd, ["daemon", "version", "-o", "json"]);
  const { version, revision } = JSON.parse(stdout);
  const ofCtr = (await containerd.ctr(["version"])).stdout.split("Server:")[1]!;
  assertEquals([code, version], [0, /Version: +(\S+)/.exec(ofCtr)?.[1]]);
  assertEquals(revision, /Revision: *(\S*)/.exec(ofCtr)?.[1]);
});

realTest("daemon plugins shows what ctr shows, and why some do not run", async (_t, containerd) => {
  const plugins = (...argv: string[]) => davit(containerd, ["daemon", "plugins", ...argv]);
  const { code, stdout } = await plugins();
  assertEquals(code, 0);
  assertEquals(cells(stdout), cells((await containerd.ctr(["plugins", "ls"])).stdout));
  assertMatch((await plugins("-o", "wide")).stdout, / skip .+: skip plugin$/m);
  const [overlayfs] = JSON.parse((await plugins("-o", "json", "id==overlayfs")).stdout);
  const { exports: { root }, requires, capabilities: _, ...rest } = overlayfs;
  assertEquals(rest, {
    type: "io.containerd.snapshotter.v1",
    id: "overlayfs",
    platforms: ["linux/amd64"],
    status: "ok",
  });
  assertEquals([root.startsWith(containerd.root), Array.isArray(requires)], [true, true]);
  assertEquals((await plugins("=")).code, 2);
});

realTest("daemon deprecations shows what ctr shows", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const image = await busyboxImage();
  await importWithCtr(containerd, namespace, ociArchive([image]), { unpack: true });
  // 1.7 warns of this runtime; whether it works does not matter.
  const old = ["run", "--rm", "--runtime", "io.containerd.runc.v1", image.name, "c", "true"];
  await containerd.ctr(old, { namespace, check: false });
  const ofCtr = (await containerd.ctr(["deprecations", "list", "--format", "json"])).stdout.trim();

  const { code, stdout } = await davit(containerd, ["daemon", "deprecations", "-o", "json"]);
  assertEquals(code, 0);
  const listed = JSON.parse(stdout) as { id: string; message: string; lastOccurrence: string }[];
  const known = ofCtr === "" ? [] : JSON.parse(ofCtr) as { id: string; message: string }[];
  assertEquals(
    listed.map(({ id, message }) => ({ id, message })),
    known.map(({ id, message }) => ({ id, message })),
  );
  for (const { lastOccurrence } of listed) assert(Date.now() - Date.parse(lastOccurrence) < 60_000);
  assertEquals(listed.length, containerd.release.series === "1.7" ? 1 : 0);
  const table = await davit(containerd, ["deprecations", "list"]);
  assertEquals(cells(table.stdout)[0], ["ID", "LAST OCCURRENCE", "MESSAGE"]);
  assertEquals(cells(table.stdout).length, 1 + listed.length);
}, { series: ["1.7", "2"] });

realTest("daemon deprecations says which containerd keeps count of them", async (_t, containerd) => {
  const { code, stdout, stderr } = await davit(containerd, ["daemon", "deprecations"]);
  assertEquals([code, stdout], [9, ""]);
  assertMatch(
    stderr,
    /^davit: Cannot list the deprecations of containerd: containerd 1\.6\.\S+ does not .* only 1\.6\.25, 1\.7\.9/,
  );
}, { series: ["1.6"] });

function cells(table: string): string[][] {
  return table.trimEnd().split("\n").map((line) => line.trim().split(/ {2,}/));
}
