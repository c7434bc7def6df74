import { assert, assertEquals, assertMatch } from "@std/assert";
import { connect } from "davit";
import { importWithCtr, ociArchive, randomImage } from "../../real/images.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { davit } from "./davit.ts";

realTest("leases list shows the leases that ctr shows", async (_t, containerd) => {
  const [one, two] = [uniqueNamespace("one"), uniqueNamespace("two")];
  await containerd.ctr(["leases", "create", "--id", "b", "owner=ci"], { namespace: one });
  await containerd.ctr(["leases", "create", "--id", "a", "--expires", "0s"], { namespace: one });
  await containerd.ctr(["leases", "create", "--id", "c"], { namespace: two });
  const list = (...argv: string[]) => davit(containerd, ["-n", one, "leases", "ls", ...argv]);

  const [header, ...rows] = (await list()).stdout.trimEnd().split("\n");
  assertMatch(header!, /^ID +CREATED AT +LABELS$/);
  assertMatch(rows[0]!, /^a +(now|\d+s ago) +-$/);
  assertMatch(rows[1]!, /^b +(now|\d+s ago) +containerd.io\/gc.expire=\S+,owner=ci$/);
  assertEquals(
    (await list("-q")).stdout,
    (await containerd.ctr(["leases", "ls", "-q"], { namespace: one })).stdout,
  );
  assertEquals((await list("-q", "labels.owner==ci")).stdout, "b\n");
  const all = JSON.parse((await list("-A", "-o", "json")).stdout) as { namespace: string; id: string }[];
  const ours = all.filter(({ namespace }) => [one, two].includes(namespace));
  assertEquals(ours.map(({ namespace, id }) => [namespace, id]), [[one, "a"], [one, "b"], [two, "c"]]);
});

realTest("leases remove removes several, and with --sync also what they held", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const namespace = uniqueNamespace();
  const inside = client.namespace(namespace);
  const image = await randomImage();
  await importWithCtr(containerd, namespace, ociArchive([image]));
  for (const id of ["a", "b"]) {
    await inside.leases.create({ id });
    await inside.leases.addResource(id, { id: image.target.digest, type: "content" });
  }
  await inside.images.delete(image.name, { sync: true });
  const remove = (...argv: string[]) => davit(containerd, ["-n", namespace, "leases", "rm", ...argv]);

  const { code, stdout, stderr } = await remove("a", "none", "b", "--sync");
  assertEquals([code, stdout], [3, "a\nb\n"]);
  assertMatch(stderr, /Cannot delete lease "none" in namespace "test-\w+": not found\n/);
  assertEquals(await Array.fromAsync(inside.content.list()), []);
  assertEquals(await Array.fromAsync(inside.leases.list()), []);
  assertEquals((await remove("none")).code, 4);
  assertEquals(await remove("none", "--ignore-missing"), { code: 0, stdout: "", stderr: "" });
});

realTest("leases remove --sync creates no namespace", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const argv = ["-n", namespace, "leases", "rm", "none", "--sync", "--ignore-missing"];
  assertEquals(await davit(containerd, argv), { code: 0, stdout: "", stderr: "" });
  assert(!(await containerd.ctr(["namespaces", "ls", "-q"])).stdout.includes(namespace));
});
