import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { connect } from "davit";
import { importWithCtr, ociArchive, randomImage } from "../../real/images.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { davit } from "./davit.ts";

const dayMs = 24 * 60 * 60 * 1000;

realTest("namespaces list shows what ctr shows, whoever created it", async (_t, containerd) => {
  const [a, b] = [uniqueNamespace("a"), uniqueNamespace("b")];
  await containerd.ctr(["namespaces", "create", a, "z=1", "a=x=y"]);
  assertEquals((await davit(containerd, ["ns", "c", b, "team=ops"])).code, 0);
  const { stdout } = await davit(containerd, ["namespaces", "list"]);
  const byCtr = (await containerd.ctr(["namespaces", "ls"])).stdout;
  assertEquals(cells(stdout), cells(byCtr).map(([name, labels]) => [name, labels ?? "-"]));
  assertEquals(
    (await davit(containerd, ["ns", "ls", "-q"])).stdout,
    (await containerd.ctr(["ns", "ls", "-q"])).stdout,
  );
}, { fresh: true });

realTest("namespaces list counts with -o wide, and in every form that shows all", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const namespace = uniqueNamespace();
  const image = await randomImage();
  await importWithCtr(containerd, namespace, ociArchive([image]));
  await client.namespace(namespace).leases.create({ id: "one" });
  await client.namespaces.update(namespace, { labels: { owner: "ci" } });
  const bytes = [...image.blobs.values()].reduce((sum, { length }) => sum + length, 0);
  const counts = { images: 1, containers: 0, tasks: 0, blobs: 4, leases: 1, sandboxes: 0, bytes };

  const wide = cells((await davit(containerd, ["namespaces", "list", "-o", "wide"])).stdout);
  assertEquals(wide[0], [
    "NAME",
    "LABELS",
    "IMAGES",
    "CONTAINERS",
    "TASKS",
    "BLOBS",
    "LEASES",
    "BYTES",
    "SANDBOXES",
  ]);
  const row = wide.find(([name]) => name === namespace);
  assertEquals(row, [namespace, "owner=ci", "1", "0", "0", "4", "1", "129.1", "KiB", "0"]);

  const json = JSON.parse((await davit(containerd, ["namespaces", "list", "-o", "json"])).stdout);
  const found = json.find(({ name }: { name: string }) => name === namespace);
  assertEquals(found, { name: namespace, labels: { owner: "ci" }, ...counts });

  const csv = (await davit(containerd, ["namespaces", "list", "-o", "csv"])).stdout.split("\r\n");
  assertEquals(csv[0], "name,labels,images,containers,tasks,blobs,leases,bytes,sandboxes");
  assert(csv.includes(`${namespace},owner=ci,1,0,0,4,1,${bytes},0`));
});

realTest("namespaces create fails for one that exists, unless that is fine", async (_t, containerd) => {
  const name = uniqueNamespace();
  const create = (...argv: string[]) => davit(containerd, ["namespaces", "create", name, ...argv]);
  assertEquals(await create("a=1"), { code: 0, stdout: "", stderr: "" });
  const again = await create("a=2");
  assertEquals([again.code, again.stderr], [5, `davit: Cannot create namespace "${name}": already exists\n`]);
  assertEquals(await create("--if-not-exists"), { code: 0, stdout: "", stderr: "" });
  assertEquals(await create("--if-not-exists", "b=2"), { code: 0, stdout: "", stderr: "" });
  const { stdout } = await containerd.ctr(["namespaces", "ls"]);
  assertStringIncludes(stdout.replace(/ +/g, " "), `${name} a=1,b=2`);
});

realTest("namespaces label sets and clears, and never creates", async (_t, containerd) => {
  const name = uniqueNamespace();
  const unknown = await davit(containerd, ["namespaces", "label", name, "a=1"]);
  assertEquals([unknown.code, unknown.stderr], [4, `davit: Cannot label namespace "${name}": not found\n`]);
  assert(!(await containerd.ctr(["namespaces", "ls", "-q"])).stdout.includes(name));

  await containerd.ctr(["namespaces", "create", name, "a=1", "b=2", "c=3"]);
  assertEquals((await davit(containerd, ["namespaces", "label", name, "a=", "b=two", "d"])).code, 0);
  const { stdout } = await containerd.ctr(["namespaces", "ls"]);
  assertStringIncludes(stdout.replace(/ +/g, " "), `${name} b=two,c=3,d=true`);
  assertEquals((await davit(containerd, ["namespaces", "label", name])).code, 2);
});

realTest("namespaces inspect shows all about one namespace", async (_t, containerd) => {
  const name = uniqueNamespace();
  await containerd.ctr(["namespaces", "create", name, "a=1"]);
  const { code, stdout } = await davit(containerd, ["namespaces", "inspect", name]);
  assertEquals(code, 0);
  assertEquals(JSON.parse(stdout), {
    name,
    labels: { a: "1" },
    usage: { images: 0, containers: 0, tasks: 0, blobs: 0, leases: 0, sandboxes: 0, bytes: 0, snapshots: {} },
    contentSharingPolicy: "shared",
  });
  assertEquals((await davit(containerd, ["namespaces", "inspect", uniqueNamespace()])).code, 4);
});

realTest("namespaces remove tries all, reports each, and says why", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const [empty, missing, full] = [
    uniqueNamespace("empty"),
    uniqueNamespace("missing"),
    uniqueNamespace("full"),
  ];
  await client.namespaces.create(empty);
  await importWithCtr(containerd, full, ociArchive([await randomImage()]));
  const remove = (...argv: string[]) => davit(containerd, ["namespaces", "rm", ...argv]);

  const { code, stdout, stderr } = await remove(missing, full, empty);
  assertEquals([code, stdout], [3, `${empty}\n`]);
  const [first, second, hint, third] = stderr.split("\n");
  assertEquals(first, `davit: Cannot remove namespace "${missing}": not found`);
  assertMatch(second!, /"full-\w+" must be empty, but it still has images, blobs/);
  assertEquals(hint, "hint: --purge removes all that it holds with it");
  assertEquals(third, "davit: 2 of 3 failed");

  assertEquals(await remove(missing, "--ignore-missing"), { code: 0, stdout: "", stderr: "" });
  assertEquals((await remove(missing)).code, 4);
  const [typo, didYouMean] = [full.slice(0, -1), `did you mean "${full}"?`];
  for (const argv of [[typo], [typo, "--purge", "--yes"]]) {
    const { code, stderr } = await remove(...argv);
    assertEquals([code, stderr.trimEnd().split("\n").at(-1)], [4, `hint: ${didYouMean}`]);
  }
  const { stderr: said } = await davit(containerd, ["-n", typo, "containers", "list"]);
  assertEquals(said, `There is no namespace "${typo}"; ${didYouMean}\n`);
  assertEquals((await remove(full)).code, 5);
  assert(await client.namespaces.exists(full));
});

realTest(
  "namespaces remove leaves alone what somebody works in, unless told otherwise",
  async (_t, containerd) => {
    await using client = await connect({ address: containerd.address });
    const name = uniqueNamespace();
    await client.namespace(name).leases.create({ id: "upload", expiresInMs: dayMs });
    const { code, stderr } = await davit(containerd, ["namespaces", "remove", name]);
    assertEquals(code, 5);
    const message = `Cannot remove namespace "${name}": somebody holds lease "upload" in it`;
    assertEquals(stderr, `davit: ${message}\nhint: --delete-leases removes it all the same\n`);
    assert(await client.namespaces.exists(name));
    assertEquals(
      (await davit(containerd, ["namespaces", "remove", name, "--delete-leases"])).stdout,
      `${name}\n`,
    );
    assert(!(await client.namespaces.exists(name)));
  },
);

function cells(table: string): string[][] {
  return table.trimEnd().split("\n").map((line) => line.split(/ +/).filter(Boolean));
}
