import { assertEquals, assertStringIncludes } from "@std/assert";
import { busyboxImage, importWithCtr, ociArchive } from "../../real/images.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { davit } from "./davit.ts";

realTest(
  "the namespace session of containerd's 2017 demo works command for command",
  async (_t, containerd) => {
    const [one, other] = [uniqueNamespace("one"), uniqueNamespace("other")];
    const image = await busyboxImage();
    const done = (stdout = "") => ({ code: 0, stdout, stderr: "" });
    const inOne = { env: { CONTAINERD_NAMESPACE: one } };
    const names = (namespace: string) => davit(containerd, ["-n", namespace, "images", "ls", "-q"]);

    assertEquals(await davit(containerd, ["namespaces", "create", one, "owner=ci", "demo"]), done());
    assertEquals(await davit(containerd, ["namespaces", "create", other]), done());
    const { stdout } = await davit(containerd, ["namespaces", "ls"]);
    assertEquals(cells(stdout).filter(([name]) => name === "NAME" || name === one || name === other), [
      ["NAME", "LABELS"],
      [one, "demo=true,owner=ci"],
      [other, "-"],
    ]);

    for (const namespace of [one, other]) {
      await importWithCtr(containerd, namespace, ociArchive([image]), { unpack: true });
    }
    assertEquals(await davit(containerd, ["images", "ls", "-q"], inOne), done(`${image.name}\n`));
    assertEquals(await names(other), done(`${image.name}\n`));

    const refused = await davit(containerd, ["namespaces", "rm", one]);
    assertEquals([refused.code, refused.stdout], [5, ""]);
    assertStringIncludes(refused.stderr, "must be empty, but it still has images, blobs, snapshots on");

    assertEquals(await davit(containerd, ["images", "rm", image.name], inOne), done(`${image.name}\n`));
    assertEquals((await davit(containerd, ["images", "ls", "-q"], inOne)).stdout, "");
    assertEquals(await names(other), done(`${image.name}\n`));

    assertEquals(await davit(containerd, ["namespaces", "rm", one]), done(`${one}\n`));
    const left = (await davit(containerd, ["namespaces", "ls", "-q"])).stdout.split("\n");
    assertEquals([left.includes(one), left.includes(other)], [false, true]);
    const command = ["run", "--rm", image.name, uniqueNamespace("id"), "echo", "still here"];
    assertEquals((await containerd.ctr(command, { namespace: other })).stdout, "still here\n");
  },
);

function cells(table: string): string[][] {
  return table.trimEnd().split("\n").map((line) => line.split(/ +/).filter(Boolean));
}
