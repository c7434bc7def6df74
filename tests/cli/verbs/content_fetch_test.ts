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

realTest("content fetch --metadata-only fetches what ctr does, and no layer", async (_t, containerd) => {
  const [namespace, other] = [uniqueNamespace(), uniqueNamespace()];
  const multi = await multiPlatformImage({ seed: 7901 });
  await using stock = await StockedRegistry.start({ "multi:1": multi });
  const name = stock.reference("multi:1");
  const fetch = async (...argv: string[]) => {
    const argvs = ["-n", namespace, "content", "fetch", name, "-o", "json", ...argv];
    const { code, stdout, stderr } = await davit(containerd, argvs);
    assertEquals(code, 0, stderr);
    return JSON.parse(stdout);
  };
  const digests = async (namespace: string) =>
    (await containerd.ctr(["content", "ls", "-q"], { namespace })).stdout.trim().split("\n").toSorted();

  await containerd.ctr(["content", "fetch", "--metadata-only", "--plain-http", name], { namespace: other });
  const [row] = await fetch("--metadata-only");
  const fetched = await digests(namespace);
  assertEquals([row.status, row.downloaded + row.shared], ["pulled", fetched.length]);
  assertEquals(row.size, fetched.reduce((sum, digest) => sum + multi.blobs.get(digest)!.length, 0));
  assertEquals(fetched, await digests(other));
  assertEquals((await fetch("--metadata-only"))[0].status, "exists");
  assertEquals((await fetch())[0].status, "repaired"); // its layers come
  assertEquals((await fetch("--metadata-only", "--platform", "linux/arm64"))[0].existing, 3);
});
