import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { debianPackage } from "../../real/debian.ts";
import { busyboxImage, checkWithCtr, ociArchive } from "../../real/images.ts";
import { run } from "../../real/process.ts";
import { skopeo } from "../../real/skopeo.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { davit } from "./davit.ts";

realTest("images import reads what skopeo and umoci write, and ctr runs it", async (_t, containerd) => {
  const folder = await Deno.makeTempDir({ prefix: "davit-import-" });
  try {
    const at = (name: string) => join(folder, name);
    const source = await Deno.create(at("source.tar"));
    await ociArchive([await busyboxImage("example.com/box:v1")]).pipeTo(source.writable);
    const copy = (to: string) =>
      skopeo(["copy", "--insecure-policy", `oci-archive:${at("source.tar")}:v1`, to]);
    await copy(`oci-archive:${at("oci.tar")}:v1`);
    await copy(`docker-archive:${at("docker.tar")}:example.com/box:v1`);
    await copy(`oci:${at("layout")}:v1`);

    const umoci = join(await debianPackage("umoci"), "usr/bin/umoci");
    await run(umoci, ["unpack", "--image", `${at("layout")}:v1`, at("bundle")]);
    await Deno.writeTextFile(at("bundle/rootfs/added"), "by umoci");
    await run(umoci, ["repack", "--image", `${at("layout")}:v2`, at("bundle")]);
    await run("tar", ["-C", at("layout"), "-cf", at("umoci.tar"), "."]);

    for (const [file, expected] of Object.entries({ "oci.tar": 1, "docker.tar": 1, "umoci.tar": 2 })) {
      const namespace = uniqueNamespace();
      const argv = ["images", "import", at(file), "--base-name", "example.com/box", "-o", "json"];
      const { code, stdout, stderr } = await davit(containerd, ["-n", namespace, ...argv]);
      assertEquals(code, 0, stderr);
      const rows: { image: string; unpacked: boolean }[] = JSON.parse(stdout);
      const names = ["example.com/box:v1", "example.com/box:v2"].slice(0, expected);
      assertEquals(rows.map(({ image, unpacked }) => [image, unpacked]), names.map((name) => [name, true]));
      const statuses = await checkWithCtr(containerd, namespace);
      assertEquals([...statuses.keys()].sort(), names);
      for (const status of statuses.values()) assertEquals(status.replace(/\(.*/, ""), "complete ");
      const command = file === "umoci.tar" ? ["cat", "/added"] : ["echo", "-n", "by umoci"];
      const running = ["run", "--rm", names.at(-1)!, uniqueNamespace("id"), ...command];
      assertEquals((await containerd.ctr(running, { namespace })).stdout, "by umoci");
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}, { series: ["2"] });
