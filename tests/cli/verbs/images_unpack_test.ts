import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { connect } from "davit";
import { permissions } from "../../../cli/build/launch.ts";
import { mountCommand } from "../../../cli/mount.ts";
import type { Containerd } from "../../real/containerd.ts";
import { buildImage } from "../../real/image_builder.ts";
import {
  busyboxImage,
  collect,
  collectGarbage,
  dockerArchive,
  type Image,
  importWithCtr,
  manyImages,
  multiPlatformImage,
  ociArchive,
  randomImage,
} from "../../real/images.ts";
import { randomLayer } from "../../real/layers.ts";
import { run } from "../../real/process.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { davit } from "./davit.ts";

realTest("images unpack unpacks by name and glob, and says what was there", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const images = await manyImages({ count: 2, sharedLayers: 2, ownLayers: 1, seed: 4000 });
  await importWithCtr(containerd, namespace, ociArchive(images));
  const unpack = (...argv: string[]) => davit(containerd, ["-n", namespace, "images", "unpack", ...argv]);
  const { code, stdout } = await unpack("example.com/**", "-o", "json");
  const rows = JSON.parse(stdout);
  assertEquals(code, 0);
  assertEquals(
    rows.map(({ chainId: _, ...row }: { chainId: string }) => row),
    images.map(({ name }, i) => (
      { image: name, status: "unpacked", unpacked: i ? 1 : 3, existing: i ? 2 : 0, snapshotter: "overlayfs" }
    )),
  );
  assertEquals(await isUnpackedForCtr(containerd, namespace, images), [true, true]);
  const again = await unpack(images[0]!.name, "none");
  assertEquals(again.code, 3);
  assertMatch(again.stdout, /^REF +STATUS +UNPACKED +EXISTING +SNAPSHOTTER\n\S+ +exists +0 +3 +overlayfs\n$/);
  assertStringIncludes(again.stderr, 'Cannot unpack image "none"');
  const bogus = await unpack(images[0]!.name, "--snapshotter", "bogus");
  assertEquals(bogus.code, 2);
  assertStringIncludes(bogus.stderr, "containerd has");
  const argv = ["-n", namespace, "images", "unpack", images[0]!.name, "-q"];
  const native = await davit(containerd, argv, { env: { CONTAINERD_SNAPSHOTTER: "native" } });
  assertEquals([native.code, native.stdout], [0, `${images[0]!.name}\n`]);
  assertEquals(await isUnpackedForCtr(containerd, namespace, images, ["--snapshotter", "native"]), [
    true,
    false,
  ]);
});

realTest("images import unpacks what ctr then runs, unless told otherwise", async (_t, containerd) => {
  const [namespace, lazy] = [uniqueNamespace(), uniqueNamespace()];
  const image = await busyboxImage();
  const foreign = await randomImage({ seed: 4101, platform: { os: "linux", architecture: "arm64" } });
  const both = await multiPlatformImage({ seed: 4102 });
  await withFile(await collect(ociArchive([image, foreign, both])), async (file) => {
    const { code, stdout, stderr } = await davit(containerd, ["-n", namespace, "images", "import", file]);
    assertEquals(code, 0);
    const cells = stdout.trimEnd().split("\n").slice(1).map((line) => line.split(/ {2,}/).at(-1));
    assertEquals(cells, ["true", "false", "true"]);
    assertStringIncludes(
      stderr,
      `Image "${foreign.name}" is not unpacked: it is for linux/arm64, not for linux/amd64`,
    );
    await davit(containerd, ["-n", lazy, "images", "import", file, "--no-unpack"]);
    assertEquals(
      (await containerd.ctr(["snapshots", "ls"], { namespace: lazy })).stdout.split("\n").length,
      2,
    );
    const wrong = await davit(containerd, ["-n", lazy, "images", "import", file, "--snapshotter", "bogus"]);
    assertEquals(wrong.code, 3);
    assertMatch(wrong.stderr, /^davit: Cannot use snapshotter "bogus" .*; containerd has /m);
  });
  await withFile(await collect(ociArchive([foreign, both])), async (file) => {
    const arm64 = ["-n", lazy, "images", "import", file, "--platform", "linux/arm64", "-o", "json"];
    const rows = JSON.parse((await davit(containerd, arm64)).stdout);
    assertEquals(rows.map(({ unpacked }: { unpacked: boolean }) => unpacked), [true, true]);
  });
  await collectGarbage(containerd, namespace);
  const running = ["run", "--rm", image.name, "c1", "echo", "hello"];
  assertEquals((await containerd.ctr(running, { namespace })).stdout, "hello\n");
});

realTest("images import unpacks what docker saved", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const image = await busyboxImage();
  await withFile(await collect(dockerArchive([image])), async (file) => {
    const { code, stdout } = await davit(containerd, [
      "-n",
      namespace,
      "images",
      "import",
      file,
      "-o",
      "json",
    ]);
    assertEquals([code, JSON.parse(stdout)[0].unpacked], [0, true]);
  });
  await collectGarbage(containerd, namespace);
  const running = ["run", "--rm", image.name, "c1", "echo", "hello"];
  assertEquals((await containerd.ctr(running, { namespace })).stdout, "hello\n");
});

realTest("images copy --unpack unpacks in each target", async (_t, containerd) => {
  const [from, to, other] = [uniqueNamespace(), uniqueNamespace(), uniqueNamespace()];
  const image = await busyboxImage();
  await importWithCtr(containerd, from, ociArchive([image]));
  const copy = ["images", "copy", image.name, "--from", from, "--to", `${to},${other}`, "--unpack"];
  const dry = await davit(containerd, [...copy, "--dry-run", "-o", "json"]);
  assertEquals(JSON.parse(dry.stdout).map(({ unpacked }: { unpacked?: boolean }) => unpacked), [
    undefined,
    undefined,
  ]);
  const { code, stdout } = await davit(containerd, [...copy, "-o", "json"]);
  assertEquals([code, JSON.parse(stdout).map(({ unpacked }: { unpacked: boolean }) => unpacked)], [0, [
    true,
    true,
  ]]);
  await collectGarbage(containerd, to);
  for (const namespace of [to, other]) {
    assertEquals(await isUnpackedForCtr(containerd, namespace, [image]), [true]);
    const running = ["run", "--rm", image.name, `c-${namespace}`, "echo", "hello"];
    assertEquals((await containerd.ctr(running, { namespace })).stdout, "hello\n");
  }
});

realTest("images usage shows the rows of ctr, and which content they came from", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const images = [await randomImage({ seed: 4200, layers: 3 }), await randomImage({ seed: 4201 })];
  await importWithCtr(containerd, namespace, ociArchive(images));
  const [{ name }, { name: packed }] = images as [Image, Image];
  const usage = (...argv: string[]) => davit(containerd, ["-n", namespace, "images", "usage", ...argv]);
  await davit(containerd, ["-n", namespace, "images", "unpack", name]);
  const { stdout } = await usage(name);
  const words = (table: string) => table.trimEnd().split("\n").map((line) => line.trim().split(/\s+/));
  if (containerd.release.series !== "1.6") {
    assertEquals(
      words(stdout),
      words((await containerd.ctr(["images", "usage", name], { namespace })).stdout),
    );
  }
  assertMatch(stdout, /^KEY +SIZE +INODES\n(sha256:\w{64} +\d+\.0 KiB +\d+\n){3}$/);
  const [top] = JSON.parse((await usage(name, "-o", "json")).stdout);
  const blob = images[0]!.blobs.get(top.digest)!;
  assertEquals([top.contentSize, top.size >= 65536], [blob.length, true]);
  const { code, stderr } = await usage(packed);
  assertEquals(code, 5);
  assertStringIncludes(
    stderr,
    `Cannot show the usage of image "${packed}" in namespace "${namespace}": it is not unpacked`,
  );
  assertStringIncludes(stderr, `hint: "davit images unpack ${packed}"`);
});

realTest("images mount shows the files of an image until images unmount", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const image = await busyboxImage();
  await importWithCtr(containerd, namespace, ociArchive([image]));
  const images = (...argv: string[]) => davit(containerd, ["-n", namespace, "images", ...argv]);
  const left = async () => (await containerd.ctr(["leases", "ls", "-q"], { namespace })).stdout;
  await withFolder(async (target) => {
    for (const snapshotter of ["overlayfs", "native"]) {
      const flag = ["--snapshotter", snapshotter];
      const { code, stdout } = await images("mount", "busybox", target, ...flag, "-o", "json");
      assertEquals(code, 0);
      assertEquals(JSON.parse(stdout).target, target);
      assertEquals(await Deno.readTextFile(`${target}/etc/passwd`), "root:x:0:0:root:/root:/bin/sh\n");
      await collectGarbage(containerd, namespace);
      assert((await Deno.stat(`${target}/bin/busybox`)).isFile);
      const writing = await Deno.writeTextFile(`${target}/new`, "").catch((error) => error);
      assertMatch(String(writing), /Read-only file system/);
      assertEquals((await images("unmount", target, "--rm")).stdout, `${target}\n`);
      assertEquals([await left(), await namesIn(target)], ["", []]);
    }
    assertEquals((await images("unmount", target)).code, 5);
    assertEquals((await images("unmount", target, "--rm")).code, 4);
    const file = await images("mount", "busybox", `${target}/none`);
    assertEquals(file.code, 2);
    assertStringIncludes(file.stderr, "it is no folder");
  });
});

realTest("images mount --rw keeps changes until they are removed, as with ctr", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const [image, other] = [await busyboxImage(), await randomImage({ seed: 4300 })];
  await importWithCtr(containerd, namespace, ociArchive([image, other]));
  const images = (...argv: string[]) => davit(containerd, ["-n", namespace, "images", ...argv]);
  await withFolder(async (target) => {
    await images("mount", image.name, target, "--rw");
    await Deno.writeTextFile(`${target}/new`, "kept");
    assertEquals((await images("unmount", target)).code, 0);
    assertEquals(await namesIn(target), []);
    const inTheWay = await images("mount", other.name, target, "--rw");
    assertEquals(inTheWay.code, 5);
    assertStringIncludes(inTheWay.stderr, `was mounted at "${target}": remove that first`);
    await images("mount", image.name, target, "--rw");
    assertEquals(await Deno.readTextFile(`${target}/new`), "kept");
    await containerd.ctr(["images", "unmount", "--rm", target], { namespace });
    assertEquals((await containerd.ctr(["leases", "ls", "-q"], { namespace })).stdout, "");
    await containerd.ctr(["images", "mount", image.name, target], { namespace });
    assertEquals((await images("unmount", target, "--rm")).code, 0);
    assertEquals((await containerd.ctr(["leases", "ls", "-q"], { namespace })).stdout, "");
  });
});

realTest("images mount may start mount(8) with the permissions that davit has", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const image = await randomImage({ seed: 4350 });
  await importWithCtr(containerd, namespace, ociArchive([image]));
  const main = fromFileUrl(new URL("../../../cli/main.ts", import.meta.url));
  const program = ["run", "--quiet", ...permissions, main, "-a", containerd.address, "-n", namespace];
  const images = (...argv: string[]) => run(Deno.execPath(), [...program, "images", ...argv]);
  await withFolder(async (target) => {
    await images("mount", image.name, target);
    assertEquals((await namesIn(target)).length, 2);
    await images("unmount", target, "--rm");
    assertEquals(await namesIn(target), []);
  });
}, { series: ["2"] });

realTest(
  "images mount mounts an image of more layers than a page of options names",
  async (_t, containerd) => {
    const namespace = uniqueNamespace();
    const layers = await Promise.all(Array.from({ length: 70 }, (_, i) => randomLayer(100, 4400 + i)));
    const image = await buildImage({ name: "example.com/tall:1", layers });
    await importWithCtr(containerd, namespace, ociArchive([image]));
    await using connection = await connect({ address: containerd.address });
    await withFolder(async (target) => {
      const { code, stderr } = await davit(containerd, [
        "-n",
        namespace,
        "images",
        "mount",
        image.name,
        target,
      ]);
      assertEquals([code, stderr], [0, ""]);
      const mounts = await connection.namespace(namespace).snapshots("overlayfs").mounts(target);
      assert(mounts[0]!.options.join(",").length > 4096);
      assertEquals((await namesIn(target)).length, 70);
      await davit(containerd, ["-n", namespace, "images", "unmount", "--rm", target]);
    });
  },
  { series: ["2"] },
);

Deno.test("mountCommand() names the folders of a long overlay from where they all are", () => {
  const folders = Array.from(
    { length: 80 },
    (_, i) => `/var/lib/containerd/snapshotter/overlayfs/snapshots/${i}/fs`,
  );
  const lower = `lowerdir=${folders.join(":")}`;
  const overlay = { type: "overlay", source: "overlay", target: "", options: ["index=off", lower, "ro"] };
  const { args, cwd } = mountCommand(overlay, "/mnt");
  assertEquals(cwd, "/var/lib/containerd/snapshotter/overlayfs/snapshots/");
  assertEquals(args.slice(0, 3), ["-t", "overlay", "-o"]);
  assertStringIncludes(args[3]!, "index=off,lowerdir=0/fs:1/fs:");
  assert(args[3]!.endsWith(":79/fs,ro") && args[3]!.length < 4096);
  assertEquals(args.slice(4), ["--", "overlay", "/mnt"]);
  const short = { ...overlay, options: [`lowerdir=${folders.slice(0, 2).join(":")}`] };
  assertEquals(mountCommand(short, "/mnt"), {
    args: ["-t", "overlay", "-o", short.options[0]!, "--", "overlay", "/mnt"],
  });
  const bind = { type: "bind", source: "/a", target: "", options: ["rbind", "ro"] };
  assertEquals(mountCommand(bind, "/mnt").args, ["-o", "rbind,ro", "--", "/a", "/mnt"]);
});

/** What ctr says of each image: whether it is unpacked. */
async function isUnpackedForCtr(
  containerd: Containerd,
  namespace: string,
  images: Image[],
  flags: string[] = [],
): Promise<boolean[]> {
  const { stdout } = await containerd.ctr(["images", "check", ...flags], { namespace });
  return images.map(({ name }) => {
    const line = stdout.split("\n").find((line) => line.startsWith(`${name} `));
    return line?.trim().endsWith(" true") ?? false;
  });
}

async function namesIn(folder: string): Promise<string[]> {
  return await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
}

async function withFolder(work: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempDir();
  try {
    await work(path);
  } finally {
    await new Deno.Command("umount", { args: [path], stderr: "null" }).output();
    await Deno.remove(path); // what is mounted there must not go with it
  }
}

async function withFile(bytes: Uint8Array, work: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".tar" });
  try {
    await Deno.writeFile(path, bytes);
    await work(path);
  } finally {
    await Deno.remove(path);
  }
}
