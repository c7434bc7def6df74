import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { busyboxImage, importWithCtr, ociArchive, randomImage } from "../../real/images.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { davit } from "./davit.ts";

realTest("snapshots list, tree, info and usage show what ctr shows", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const images = [await busyboxImage(), await randomImage({ layers: 3 })];
  await importWithCtr(containerd, namespace, ociArchive(images), { unpack: true });
  const ctr = async (...args: string[]) => (await containerd.ctr(args, { namespace })).stdout;
  await ctr("containers", "create", images[0]!.name, "idle");
  const run = (...argv: string[]) => davit(containerd, ["-n", namespace, "snapshots", ...argv]);

  const listed = JSON.parse((await run("ls", "-o", "json")).stdout) as Record<string, unknown>[];
  const base = listed.find(({ key }) => key === "idle")!.parent as string;
  const plain = cells((await run("ls")).stdout);
  assertEquals(
    plain.map((row) => row.filter((cell) => cell !== "-").join(" ").toLowerCase()),
    cells(await ctr("snapshots", "ls")).map((row) => row.join(" ").toLowerCase()),
  );
  assertEquals((await run("ls", "-q", "kind==active")).stdout, "idle\n");

  const tree = (await run("tree", "--no-headers")).stdout;
  // ctr has the roots in any order, and a blank before each.
  const roots = (text: string) =>
    text.trim().replace(/^ (?=\S)| +(committed|active)$/gm, "").split(/\n(?=\S)/).sort();
  assertEquals(roots(tree), roots(await ctr("snapshots", "tree")));
  assertMatch(tree, /^ {4}\\_ sha256:\w+ +committed$/m);
  assertEquals(
    (await run("tree", "-q")).stdout.split("\n").sort(),
    (await run("ls", "-q")).stdout.split("\n").sort(),
  );

  const usage = JSON.parse((await run("usage", "-o", "json")).stdout) as Usage[];
  const usageOfCtr = cells(await ctr("snapshots", "usage", "-b")).slice(1);
  assertEquals(usage.map(({ key, size, inodes }) => [key, String(size), String(inodes)]), usageOfCtr);
  assertEquals(listed.map(({ key, size, inodes }) => ({ key, size, inodes })), usage);
  assertMatch((await run("usage", base)).stdout, /^KEY +SIZE +INODES\nsha256:\w+ +\d\.\d MiB +\d+\n$/);
  const some = await run("usage", "none", "idle", "-q");
  assertEquals([some.code, some.stdout], [3, "idle\n"]);

  const info = JSON.parse((await run("info", "idle")).stdout);
  const { Name, Parent, Kind, Created } = JSON.parse(await ctr("snapshots", "info", "idle"));
  assertEquals([info.key, info.parent, info.kind], [Name, Parent, Kind.toLowerCase()]);
  assertEquals(info.createdAt, `${Created.slice(0, 23)}Z`);
  assertEquals({ key: "idle", ...info.usage }, usage.find(({ key }) => key === "idle"));
});

realTest("snapshots verbs know snapshotters, and where what is not here is", async (_t, containerd) => {
  const [here, there] = [uniqueNamespace("here"), uniqueNamespace("there")];
  const prepare = (snapshotter: string, namespace: string, key: string) =>
    containerd.ctr(["snapshots", "--snapshotter", snapshotter, "prepare", key], { namespace });
  await prepare("native", here, "of-native");
  await prepare("overlayfs", there, "of-overlayfs");
  const run = (...argv: string[]) => davit(containerd, ["-n", here, "snapshots", ...argv]);

  for (const verb of ["ls", "tree", "usage"]) {
    assertEquals((await run(verb, "-q", "--snapshotter", "native")).stdout, "of-native\n");
    const empty = await run(verb, "-q");
    assertEquals([empty.code, empty.stdout], [0, ""]);
    assertStringIncludes(empty.stderr, `No snapshots in namespace "${here}", but in `);
    const all = JSON.parse((await run(verb, "-A", "-o", "json")).stdout) as Record<string, unknown>[];
    assertEquals(all.find(({ key }) => key === "of-overlayfs")!.namespace, there);
    assertEquals(all.filter(({ namespace }) => namespace === here), []);
    assertEquals((await run(verb, "--snapshotter", "none")).code, 2);
  }
  const env = { CONTAINERD_SNAPSHOTTER: "native" };
  assertEquals(
    (await davit(containerd, ["-n", here, "snapshots", "ls", "-q"], { env })).stdout,
    "of-native\n",
  );
  await containerd.ctr(["namespaces", "label", here, "containerd.io/defaults/snapshotter=native"]);
  assertEquals((await run("ls", "-q")).stdout, "of-native\n");

  const missing = await run("info", "of-overlayfs", "--snapshotter", "overlayfs");
  assertEquals([missing.code, missing.stdout], [4, ""]);
  assertEquals(
    missing.stderr,
    `davit: Cannot get snapshot "of-overlayfs" in namespace "${here}": not found\nhint: it is in namespace "${there}"\n`,
  );
  assert((await run("usage", "of-native", "-A")).code === 2);
});

interface Usage {
  key: string;
  size: number;
  inodes: number;
}

function cells(table: string): string[][] {
  return table.trimEnd().split("\n").map((line) => line.trim().split(/ +/));
}
