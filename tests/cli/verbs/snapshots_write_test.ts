import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { connect } from "davit";
import { mountLine } from "../../../cli/mount.ts";
import { busyboxImage, collectGarbage, importWithCtr, ociArchive, randomImage } from "../../real/images.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { davit } from "./davit.ts";

realTest("snapshots prepare, commit and view make what ctr lists, and what stays", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const snapshots = (...argv: string[]) => davit(containerd, ["-n", namespace, "snapshots", ...argv]);
  const prepared = await snapshots("prepare", "work", "--label", "owner=ci");
  assertEquals(prepared.code, 0);
  assertMatch(prepared.stdout, /^TYPE +SOURCE +OPTIONS\nbind +\/\S+\/fs +\S*rbind\S*\n$/);
  assertEquals((await snapshots("commit", "base", "work")).stdout, "base\n");
  const viewed = JSON.parse((await snapshots("view", "look", "base", "-o", "json")).stdout);
  assert(viewed[0].options.includes("ro"));
  assertEquals((await snapshots("prepare", "child", "base", "-q")).code, 0);
  await collectGarbage(containerd, namespace);
  const { stdout } = await containerd.ctr(["snapshots", "ls"], { namespace });
  const rows = stdout.trim().split("\n").slice(1).map((line) => line.trim().split(/\s+/)).sort();
  assertEquals(rows, [["base", "Committed"], ["child", "base", "Active"], ["look", "base", "View"]]);
  assertEquals((await snapshots("prepare", "child")).code, 5);
  assertEquals((await snapshots("prepare", "x", "none")).code, 4);
  assertEquals((await snapshots("commit", "x", "none")).code, 4);
  assertEquals((await snapshots("prepare", "x", "--snapshotter", "bogus")).code, 2);
});

realTest("snapshots mounts prints commands that mount", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const snapshots = (...argv: string[]) => davit(containerd, ["-n", namespace, "snapshots", ...argv]);
  await snapshots("prepare", "work");
  await snapshots("commit", "base", "work");
  await snapshots("prepare", "child", "base");
  const target = await Deno.makeTempDir({ prefix: "davit it's " });
  try {
    const { stdout } = await snapshots("mounts", target, "child");
    const { code } = await new Deno.Command("sh", { args: ["-euc", stdout] }).output();
    assertEquals(code, 0, stdout);
    await Deno.writeTextFile(`${target}/file`, "");
    await new Deno.Command("umount", { args: [target] }).output();
    assertEquals(await Array.fromAsync(Deno.readDir(target)), []);
  } finally {
    await Deno.remove(target);
  }
  assertEquals((await snapshots("mount", "/mnt", "none")).code, 4);
});

realTest("snapshots label shows and changes labels", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const snapshots = (...argv: string[]) => davit(containerd, ["-n", namespace, "snapshots", ...argv]);
  await snapshots("prepare", "work");
  const before = JSON.parse((await snapshots("label", "work", "-o", "json")).stdout).labels;
  assertEquals(Object.keys(before), ["containerd.io/gc.root"]);
  const { stdout } = await snapshots("label", "work", "owner=ci", "-o", "json");
  assertEquals(JSON.parse(stdout), { key: "work", labels: { ...before, owner: "ci" } });
  assertStringIncludes(
    (await containerd.ctr(["snapshots", "info", "work"], { namespace })).stdout,
    '"owner": "ci"',
  );
  const { code, stderr } = await snapshots("label", "none", "a=b");
  assertEquals([code, stderr.split("\n")[0]], [
    4,
    `davit: Cannot label snapshot "none" in namespace "${namespace}": not found`,
  ]);
}, { series: ["2"] });

realTest("snapshots remove takes children first, and none that a container uses", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const snapshots = (...argv: string[]) => davit(containerd, ["-n", namespace, "snapshots", ...argv]);
  await snapshots("prepare", "a");
  await snapshots("commit", "base", "a");
  await snapshots("prepare", "b", "base");
  await snapshots("commit", "child", "b");
  const alone = await snapshots("remove", "base");
  assertEquals(alone.code, 5);
  assertStringIncludes(alone.stderr, `Cannot remove snapshot "base" in namespace "${namespace}": `);
  const both = await snapshots("rm", "base", "child", "none");
  assertEquals([both.code, both.stdout], [3, "child\nbase\n"]);
  assertEquals((await snapshots("rm", "none")).code, 4);
  assertEquals((await snapshots("rm", "none", "--ignore-missing")).code, 0);

  const image = await busyboxImage();
  await importWithCtr(containerd, namespace, ociArchive([image]), { unpack: true });
  await containerd.ctr(["containers", "create", image.name, "c1"], { namespace });
  const used = await snapshots("remove", "c1");
  assertEquals(used.code, 5);
  assertStringIncludes(
    used.stderr,
    `Cannot remove snapshot "c1" in namespace "${namespace}": container "c1" uses it`,
  );
  await using connection = await connect({ address: containerd.address });
  assertEquals((await connection.namespace(namespace).snapshots("overlayfs").stat("c1")).kind, "active");
  assertEquals((await snapshots("remove", "c1", "--allow-used")).stdout, "c1\n");
});

realTest("snapshots unpack unpacks the image of a digest", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const image = await randomImage({ seed: 4500 });
  await importWithCtr(containerd, namespace, ociArchive([image]));
  const unpack = (digest: string) =>
    davit(containerd, ["-n", namespace, "snapshots", "unpack", digest, "-o", "json"]);
  const { code, stdout } = await unpack(image.target.digest);
  assertEquals([code, JSON.parse(stdout)[0].unpacked], [0, 2]);
  const none = await unpack(`sha256:${"0".repeat(64)}`);
  assertEquals(none.code, 4);
  assertStringIncludes(none.stderr, "no image points to it");
}, { series: ["2"] });

realTest(
  "snapshots diff prints the layer that ctr prints, and keeps it if asked to",
  async (_t, containerd) => {
    const namespace = uniqueNamespace();
    const image = await randomImage({ seed: 4501 });
    await importWithCtr(containerd, namespace, ociArchive([image]), { unpack: true });
    await using connection = await connect({ address: containerd.address });
    const client = connection.namespace(namespace);
    const snapshots = await Array.fromAsync(client.snapshots("overlayfs").list());
    const base = snapshots.find(({ parent }) => parent === "")!.key;
    const top = snapshots.find(({ parent }) => parent === base)!.key;
    const plain = ["--media-type", "application/vnd.oci.image.layer.v1.tar"];
    const layer = async (...argv: string[]) => {
      const { code, stdout, stderr } = await davit(containerd, [
        "-n",
        namespace,
        "snapshots",
        "diff",
        ...argv,
      ]);
      assertEquals(code, 0, stderr);
      return stdout;
    };
    for (const keys of [[top], [base], [base, top]]) {
      const { stdout } = await containerd.ctr(["snapshots", "diff", ...plain, ...keys], { namespace });
      assertEquals(await layer(...keys, ...plain), stdout, keys.join());
    }
    await client.snapshots("overlayfs").prepare({
      key: "work",
      parent: base,
      labels: { "containerd.io/gc.root": "1" },
    });
    await collectGarbage(containerd, namespace);
    const digests = () => Array.fromAsync(client.content.list(), ({ digest }) => digest);
    const before = await digests();
    assertEquals((await layer("work", ...plain)).replaceAll("\0", ""), "");
    await collectGarbage(containerd, namespace);
    assertEquals(await digests(), before);
    await layer(top, "--keep", "--label", "owner=ci");
    await collectGarbage(containerd, namespace);
    const [kept, ...more] = await Array.fromAsync(client.content.list({ filters: ["labels.owner==ci"] }));
    assertEquals([more.length, kept!.size > 65536], [0, true]);
    assertEquals(await Array.fromAsync(client.leases.list()), []);
    const views = client.snapshots("overlayfs").list({ filters: ["kind==view"] });
    assertEquals(await Array.fromAsync(views), []);
    assertEquals((await davit(containerd, ["-n", namespace, "snapshots", "diff", "none"])).code, 4);
  },
);

Deno.test("mountLine() quotes what a shell would take apart", () => {
  const mount = { type: "overlay", source: "overlay", target: "sub", options: ["lowerdir=/a b:/c'd"] };
  assertEquals(
    mountLine(mount, "/mnt"),
    `mount -t overlay -o 'lowerdir=/a b:/c'\\''d' -- overlay /mnt/sub`,
  );
});
