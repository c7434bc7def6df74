import { assertEquals, assertStringIncludes } from "@std/assert";
import { importWithCtr, ociArchive, randomImage } from "../../real/images.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { davit } from "./davit.ts";

realTest("images label sets, removes and shows labels as ctr does", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const name = "example.com/app:1";
  await importWithCtr(containerd, namespace, ociArchive([await randomImage({ name })]));
  const label = (...words: string[]) =>
    davit(containerd, ["-n", namespace, "images", "label", name, ...words]);
  const labelsOfCtr = async () => {
    const { stdout } = await containerd.ctr(["images", "ls", `name==${name}`], { namespace });
    return stdout.trimEnd().split(" ").at(-1);
  };

  const { code, stdout } = await label("owner=ci", "flag", "odd.key/x=a=b");
  assertEquals([code, stdout.trimEnd().split(/ {2,}|\n/)], [
    0,
    ["REF", "LABELS", name, "flag=true,odd.key/x=a=b,owner=ci"],
  ]);
  assertEquals(await labelsOfCtr(), "flag=true,odd.key/x=a=b,owner=ci");
  const removed = await label("owner=", "none=", "-o", "json");
  assertEquals(JSON.parse(removed.stdout), { name, labels: { flag: "true", "odd.key/x": "a=b" } });
  assertEquals(await labelsOfCtr(), "flag=true,odd.key/x=a=b");
  assertEquals(JSON.parse((await label("-o", "json", "--no-writes")).stdout).labels.flag, "true");
});

realTest("images label refuses bad labels and says where a missing image is", async (_t, containerd) => {
  const [here, there] = [uniqueNamespace("here"), uniqueNamespace("there")];
  const name = `example.com/${there}:1`;
  await importWithCtr(containerd, there, ociArchive([await randomImage({ name })]));
  const label = (namespace: string, ...words: string[]) =>
    davit(containerd, ["-n", namespace, "images", "label", ...words]);

  const missing = await label(here, name, "a=b");
  assertEquals(missing.code, 4);
  assertEquals(
    missing.stderr,
    `davit: Cannot label image "${name}" in namespace "${here}": not found\n` +
      `hint: it is in namespace "${there}"\n`,
  );
  assertEquals((await label(there, name, "=b")).code, 2);
  assertEquals((await label(there, name, `a=${"x".repeat(4096)}`)).code, 2);
  assertEquals((await label(there, "", "a=b")).code, 2);
  assertEquals((await label(there, name, "a=b", "--no-writes")).code, 6);
  const { stdout } = await containerd.ctr(["images", "ls"], { namespace: there });
  assertStringIncludes(stdout.trimEnd().split("\n").at(-1)!, " -");
});

realTest("images pin and unpin set and remove the label of Kubernetes", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const images = await Promise.all(
    ["app:1", "app:2", "db:1"].map((name, seed) => randomImage({ name: `example.com/${name}`, seed })),
  );
  await importWithCtr(containerd, namespace, ociArchive(images));
  await containerd.ctr(["images", "label", "example.com/app:1", "owner=ci"], { namespace });
  const on = (verb: string, ...names: string[]) =>
    davit(containerd, ["-n", namespace, "images", verb, ...names]);
  const labels = async () => {
    const { stdout } = await containerd.ctr(["images", "ls"], { namespace });
    return stdout.trimEnd().split("\n").slice(1).map((line) => line.trimEnd().split(" ").at(-1));
  };

  const { code, stdout } = await on("pin", "example.com/app:*", "example.com/none:*");
  assertEquals([code, stdout], [3, "example.com/app:1\nexample.com/app:2\n"]);
  const pin = "io.cri-containerd.pinned=pinned";
  assertEquals(await labels(), [`${pin},owner=ci`, pin, "-"]);
  assertEquals((await on("unpin", "example.com/app:1", "example.com/db:1")).code, 0);
  assertEquals(await labels(), ["owner=ci", pin, "-"]);
  const missing = await on("unpin", "example.com/none:1");
  assertEquals([missing.code, missing.stdout], [4, ""]);
  assertStringIncludes(missing.stderr, 'Cannot unpin image "example.com/none:1" in namespace');
});
