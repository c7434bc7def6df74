import { assertEquals, assertStringIncludes } from "@std/assert";
import { busyboxImage, checkWithCtr, multiPlatformImage } from "../../real/images.ts";
import { StockedRegistry } from "../../real/stocked_registry.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { davit } from "./davit.ts";

realTest("content fetch fetches what ctr does, and unpacks nothing", async (_t, containerd) => {
  const [namespace, other] = [uniqueNamespace(), uniqueNamespace()];
  const multi = await multiPlatformImage({ seed: 7900 });
  await using stock = await StockedRegistry.start({ "box:1": await busyboxImage(), "multi:1": multi });
  const [box, name] = [stock.reference("box:1"), stock.reference("multi:1")];
  const fetch = (...argv: string[]) => davit(containerd, ["-n", namespace, "content", "fetch", ...argv]);
  const { code, stdout, stderr } = await fetch(box, name, "--label", "team=a", "-o", "json");
  assertEquals(code, 0, stderr);
  const rows = JSON.parse(stdout);
  assertEquals(rows.map(({ image, status }: { image: string; status: string }) => [image, status]), [
    [box, "pulled"],
    [name, "pulled"],
  ]);
  assertEquals(Object.keys(rows[0]).length, 8);
  const inCtr = async (namespace: string, ...words: string[]) =>
    (await containerd.ctr(words, { namespace })).stdout.trim().split("\n");
  assertEquals((await inCtr(namespace, "snapshots", "ls")).length, 1);
  assertStringIncludes((await inCtr(namespace, "images", "ls", `name==${box}`)).join("\n"), "team=a");
  assertEquals(await inCtr(namespace, "leases", "ls", "-q"), [""]);

  await containerd.ctr(["content", "fetch", "--plain-http", name], { namespace: other });
  assertEquals(
    (await checkWithCtr(containerd, namespace)).get(name),
    (await checkWithCtr(containerd, other)).get(name),
  );
  const running = ["run", "--rm", box, uniqueNamespace("id"), "echo", "unpacked now"];
  await containerd.ctr(["images", "pull", "--plain-http", box], { namespace });
  assertEquals((await containerd.ctr(running, { namespace })).stdout, "unpacked now\n");
  assertEquals((await fetch(name, "--snapshotter", "native")).code, 2);
});
