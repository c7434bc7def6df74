import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { importWithCtr, multiPlatformImage, ociArchive, sparseImage } from "../../real/images.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { davit } from "./davit.ts";

realTest("images check --all-platforms finds what one platform does not need", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const [whole, sparse] = [await multiPlatformImage({ seed: 71 }), await sparseImage({ seed: 72 })];
  await importWithCtr(containerd, namespace, ociArchive([whole]));
  await importWithCtr(containerd, namespace, ociArchive([sparse]), { allPlatforms: false });
  const check = (...argv: string[]) => davit(containerd, ["-n", namespace, "images", "check", ...argv]);

  assertEquals((await check()).code, 0);
  const all = await check("--all-platforms");
  assertEquals(all.code, 3);
  assertMatch(all.stdout, new RegExp(`${whole.name} .* complete \\((\\d+)/\\1\\) `));
  assertMatch(all.stdout, new RegExp(`${sparse.name} .* incomplete \\(\\d+/\\?\\) `));
  assertEquals((await check("--all-platforms", whole.name)).code, 0);
  const both = await check("--all-platforms", "--platform", "linux/amd64");
  assertEquals(both.code, 2);
  assertStringIncludes(both.stderr, "Cannot use --platform with --all-platforms");
}, { series: ["2"] });
