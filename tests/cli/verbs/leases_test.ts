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

realTest("leases create makes leases that ctr lists and removes", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const { leases, name: namespace } = client.namespace(uniqueNamespace());
  const create = (...argv: string[]) => davit(containerd, ["-n", namespace, "leases", "create", ...argv]);
  const labelsOf = async (wanted: string) =>
    (await Array.fromAsync(leases.list())).find(({ id }) => id === wanted)!.labels;
  const expiryOf = async (id: string) => Date.parse((await labelsOf(id))["containerd.io/gc.expire"]!);
  const inHours = (hours: number) => Date.now() + hours * 3_600_000;

  const generated = await create();
  const id = generated.stdout.trim();
  assertMatch(id, /^[0-9a-f-]{36}$/);
  assert(Math.abs(await expiryOf(id) - inHours(24)) < 60_000);
  assertEquals((await create("a", "--expires", "2h", "--label", "owner=ci", "--label", "b")).stdout, "a\n");
  assert(Math.abs(await expiryOf("a") - inHours(2)) < 60_000);
  const { owner, b } = await labelsOf("a");
  assertEquals([owner, b], ["ci", "true"]);
  assertEquals((await create("c", "--expires", "0")).stdout, "c\n");
  assertEquals(await labelsOf("c"), {});

  assertEquals((await create("c")).code, 5);
  assertEquals(await create("c", "--if-not-exists"), { code: 0, stdout: "c\n", stderr: "" });
  assertMatch((await create("owner=ci")).stderr, /^warning: "owner=ci" becomes the id of the lease/);
  assertEquals((await create("d", "--expires", "soon")).code, 2);
  const { stdout } = await containerd.ctr(["leases", "ls", "-q"], { namespace });
  assertEquals(stdout.trim().split("\n"), ["a", "c", id, "owner=ci"].sort());
  assertEquals((await containerd.ctr(["leases", "rm", "a", "c", id, "owner=ci"], { namespace })).code, 0);
  assertEquals(await Array.fromAsync(leases.list()), []);
});

realTest(
  "leases resources lists what a lease holds, and leases info tells it with the rest",
  async (_t, containerd) => {
    await using client = await connect({ address: containerd.address });
    const { leases, name: namespace } = client.namespace(uniqueNamespace());
    const resources = [
      { id: `sha256:${"7".repeat(64)}`, type: "content" },
      { id: "some key", type: "snapshots/overlayfs" },
    ];
    await leases.create({ id: "l" });
    for (const resource of resources) await leases.addResource("l", resource);
    const list = (...argv: string[]) => davit(containerd, ["-n", namespace, "leases", "resources", ...argv]);
    assertEquals(JSON.parse((await list("l", "-o", "json")).stdout), resources);
    assertMatch((await list("l")).stdout, /^ID +TYPE\nsha256:7+ +content\nsome key +snapshots\/overlayfs\n$/);
    const info = await davit(containerd, ["-n", namespace, "leases", "info", "l", "-o", "json"]);
    const { createdAt, ...lease } = JSON.parse(info.stdout);
    assertEquals([lease, typeof createdAt], [{ id: "l", labels: {}, resources }, "string"]);
    assertEquals((await davit(containerd, ["-n", namespace, "leases", "info", "none"])).code, 4);
    assertEquals((await list("l", "-q")).stdout, resources.map(({ id }) => `${id}\n`).join(""));
    const { code, stderr } = await list("none");
    assertEquals(code, 4);
    assertMatch(stderr, /Cannot list the resources of lease "none" in namespace "[^"]+": not found/);
  },
  { series: ["1.6", "2"] },
);
