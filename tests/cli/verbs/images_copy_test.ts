import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { importWithCtr, ociArchive, randomImage } from "../../real/images.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { davit } from "./davit.ts";

realTest(
  "images copy says once which namespaces come into being, unless they may not",
  async (_t, containerd) => {
    const [from, to] = [uniqueNamespace("from"), uniqueNamespace("to")];
    const image = await randomImage({ seed: 81 });
    await importWithCtr(containerd, from, ociArchive([image]));
    const copy = (...argv: string[]) =>
      davit(containerd, ["images", "copy", image.name, "--from", from, ...argv]);
    const namespaces = async () =>
      (await containerd.ctr(["namespaces", "ls", "-q"])).stdout.trim().split("\n");
    const created = `Namespace "${to}" does not exist yet and`;

    const refused = await copy("--to", to, "--no-create-namespace");
    assertEquals(refused.code, 4);
    assertEquals(refused.stderr.includes(created), false, refused.stderr);
    assertStringIncludes(refused.stderr, "no such namespace, and --no-create-namespace is given");
    const planned = await copy("--to", to, "--dry-run");
    assertEquals([planned.code, planned.stderr], [0, `${created} would be created\n`]);
    assertMatch(planned.stdout, / would be copied /);
    assertEquals((await namespaces()).includes(to), false);

    const { code, stderr } = await copy("--to", to);
    assertEquals(code, 0);
    assertMatch(stderr, /^warning: Namespace "to-\w+" does not exist yet and is created[^\n]*\n$/);
    assertEquals((await namespaces()).includes(to), true);
    assertEquals((await copy("--to", to)).stderr, "");
  },
);

realTest("images copy says where an image is that its source lacks", async (_t, containerd) => {
  const [from, there] = [uniqueNamespace("from"), uniqueNamespace("there")];
  const image = await randomImage({ seed: 82 });
  await containerd.ctr(["namespaces", "create", from]);
  await importWithCtr(containerd, there, ociArchive([image]));
  const { code, stderr } = await davit(containerd, [
    "images",
    "copy",
    image.name,
    "--from",
    from,
    "--to",
    there,
  ]);
  assertEquals(code, 4);
  assertStringIncludes(stderr, `Cannot copy image "${image.name}" in namespace "${from}": not found\n`);
  assertStringIncludes(stderr, `hint: it is in namespace "${there}"\n`);
}, { series: ["2"] });
