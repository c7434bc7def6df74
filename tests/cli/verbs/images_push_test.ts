import { assertEquals, assertStringIncludes } from "@std/assert";
import { importWithCtr, ociArchive, randomImage, sparseImage } from "../../real/images.ts";
import { StockedRegistry } from "../../real/stocked_registry.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { davit } from "./davit.ts";

realTest("images push takes the place and then the image, as ctr does", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  await using stock = await StockedRegistry.start({});
  const reference = stock.reference("app:1");
  const [image, sparse] = [
    await randomImage({ name: reference, seed: 7850 }),
    await sparseImage({ seed: 7851 }),
  ];
  await importWithCtr(containerd, namespace, ociArchive([image]));
  await importWithCtr(containerd, namespace, ociArchive([sparse]), { allPlatforms: false });
  const push = (...argv: string[]) => davit(containerd, ["-n", namespace, "images", "push", ...argv]);
  const own = await push(reference, "--no-headers");
  assertEquals([own.code, own.stderr], [0, ""]);
  assertEquals(own.stdout.split(/ {2,}/).slice(0, 2), [reference, image.target.digest]);
  const other = await push(stock.reference("other:2"), reference, "-o", "json");
  const { mounted, image: from } = JSON.parse(other.stdout);
  assertEquals([mounted, from], [0, reference]);
  const partial = await push(stock.reference("sparse:1"), sparse.name);
  assertEquals(partial.code, 4);
  assertStringIncludes(partial.stderr, "its linux/arm64 lacks content");
  assertStringIncludes(partial.stderr, "hint: --platform OS/ARCH pushes the manifest for one platform alone");
  const one = await push(stock.reference("sparse:1"), sparse.name, "--platform", "linux/amd64");
  assertEquals(one.code, 0);
  const absent = await push("registry.example.com/none:1");
  assertEquals(absent.code, 4);
  assertStringIncludes(absent.stderr, "Cannot push image");
}, { series: ["2"] });
