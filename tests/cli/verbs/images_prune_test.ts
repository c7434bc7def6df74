import { assert, assertEquals, assertMatch } from "@std/assert";
import { run } from "../../../cli/app.ts";
import { ARM64 } from "../../real/image_builder.ts";
import { importWithCtr, manyImages, multiPlatformImage, ociArchive, randomImage } from "../../real/images.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { CapturedIo } from "../captured_io.ts";
import { davit } from "./davit.ts";

realTest("images prune shows what it would do, asks, and does it", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const images = await manyImages({ count: 2, seed: 31 });
  const named = images.map((image, at) => ({ ...image, name: `example.com/prune:v${at + 1}` }));
  await importWithCtr(containerd, namespace, ociArchive(named));
  const prune = ["-n", namespace, "images", "prune", "--keep-last", "1", "--order", "natural"];

  const young = await davit(containerd, [...prune, "--dry-run"]);
  assertMatch(young.stdout, /v2 +kept +set .* ago, which is less than 1h/);
  const plan = await davit(containerd, [...prune, "--min-age", "0", "--dry-run"]);
  assertMatch(
    plan.stdout,
    /example.com\/prune:v1 +would be removed +number 2 of example.com\/prune, of which 1 stay\n/,
  );
  assertMatch(plan.stderr, /Removing 1 of 2 images would free \d/);

  const refused = await davit(containerd, [...prune, "--min-age", "0"]);
  assertEquals([refused.code, refused.stdout], [2, ""]);
  assertMatch(refused.stderr, /Cannot ask without a terminal: Remove 1 of 2 images\?\nhint: --yes agrees/);
  const declined = new CapturedIo();
  declined.answer = "";
  assertEquals(await run(["-a", containerd.address, ...prune, "--min-age", "0"], declined), 130);
  assertMatch(declined.stderr, /Remove 1 of 2 images\? \[y\/N\] davit: Not agreed to: nothing was changed/);

  const done = await davit(containerd, [...prune, "--min-age", "0", "--yes", "-o", "json"]);
  assertEquals(done.code, 0);
  const rows: { image: string; status: string }[] = JSON.parse(done.stdout);
  assertEquals(rows.map(({ image, status }) => [image, status]), [
    ["example.com/prune:v1", "removed"],
    ["example.com/prune:v2", "kept"],
  ]);
  const left = await davit(containerd, ["-n", namespace, "images", "list", "-q"]);
  assertEquals(left.stdout, "example.com/prune:v2\n");
});

realTest("images prune --platform removes what is complete for no other platform", async (_t, containerd) => {
  const [from, namespace] = [uniqueNamespace(), uniqueNamespace()];
  const multi = (seed: number, name: string) => multiPlatformImage({ name: `example.com/${name}:1`, seed });
  const single = (seed: number, name: string, platform?: typeof ARM64) =>
    randomImage({ name: `example.com/${name}:1`, seed, ...(platform && { platform }) });
  await importWithCtr(containerd, from, ociArchive([await multi(81, "arm-of-both")]));
  const images = [await multi(82, "both"), await single(83, "arm", ARM64), await single(84, "host")];
  await importWithCtr(containerd, namespace, ociArchive(images));
  const copy = ["images", "copy", "**", "--from", from, "--to", namespace, "--platform", "linux/arm64"];
  assertEquals((await davit(containerd, copy)).code, 0);

  const prune = ["-n", namespace, "images", "prune", "--platform", "linux/arm64", "--min-age", "0"];
  const { code, stdout, stderr } = await davit(containerd, [...prune, "--unused", "--yes", "-o", "json"]);
  assertEquals(code, 0, stderr);
  const rows: Record<string, string>[] = JSON.parse(stdout);
  assertEquals(rows.map(({ image, status, reason }) => `${image} ${status}: ${reason}`), [
    "example.com/arm-of-both:1 removed: no container uses it, is for linux/arm64 only",
    "example.com/arm:1 removed: no container uses it, is for linux/arm64 only",
    "example.com/both:1 kept: is for linux/amd64, too",
    "example.com/host:1 kept: is for linux/amd64",
  ]);
  const again = await davit(containerd, [...prune, "--dry-run", "-o", "name"]);
  assertEquals([again.code, again.stdout], [0, "example.com/both:1\nexample.com/host:1\n"]);
  const wrong = await davit(containerd, [...prune, "--platform", "linux", "--yes"]);
  assertEquals(wrong.code, 2);
  assertMatch(wrong.stderr, /Cannot parse platform "linux": the architecture is missing/);
});

realTest("images prune wants a criterion, and names what matches nothing", async (_t, containerd) => {
  const none = await davit(containerd, ["images", "prune", "--yes"]);
  assertEquals(none.code, 2);
  assertMatch(none.stderr, /nothing says which may go\nhint: give --unused/);
  const missing = await davit(containerd, [
    "images",
    "prune",
    "nothing-like-it:*",
    "--unused",
    "--yes",
    "-A",
  ]);
  assertEquals(missing.code, 4);
  assert(missing.stderr.includes('image "nothing-like-it:*" in any namespace: not found'), missing.stderr);
  const range = await davit(containerd, [
    "images",
    "prune",
    "--unused",
    "--versions",
    "nonsense",
    "--yes",
    "-A",
  ]);
  assertEquals(range.code, 2);
}, { series: ["2"] });
