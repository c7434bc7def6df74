import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { connect, type NamespacedClient } from "davit";
import { thisOwner } from "../../../cli/owner.ts";
import { hostileNames } from "../../lib/hostile.ts";
import { randomBlob } from "../../lib/some_blob.ts";
import { busyboxImage, importWithCtr, ociArchive } from "../../real/images.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { davit } from "./davit.ts";

realTest("content prune removes what nothing refers to, and writes that rest", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const [here, there] = [client.namespace(uniqueNamespace()), client.namespace(uniqueNamespace())];
  const [mine, theirs] = [await randomBlob(1_000), await randomBlob(2_000)];
  const labels = { "containerd.io/gc.root": "x" };
  await here.content.ingest({ ref: "lost", labels }, ReadableStream.from([mine.bytes]));
  await there.content.ingest({ ref: "lost", labels }, ReadableStream.from([theirs.bytes]));
  await containerd.ctr(["leases", "create", "--id", "at-work"], { namespace: here.name });
  await using _held = await resting(here.withLease("at-work"), "held");
  await using _young = await resting(here, "young");
  const prune = ["-n", here.name, "content", "prune"];
  await here.content.update(mine.digest, { labels: { "containerd.io/gc.root": "" } });
  await there.content.update(theirs.digest, { labels: { "containerd.io/gc.root": "" } });

  const plan = await davit(containerd, [...prune, "--dry-run", "-o", "json"]);
  assertEquals(JSON.parse(plan.stdout), [{
    namespace: here.name,
    content: mine.digest,
    kind: "blob",
    size: 1_000,
    status: "would be removed",
    reason: "nothing refers to it",
  }]);
  assertStringIncludes(
    plan.stderr,
    "of all namespaces, would free 2.9 KiB in 2 blobs and 0 B in 0 snapshots",
  );
  const refused = await davit(containerd, prune);
  assertEquals([refused.code, refused.stdout], [2, ""]);
  assertStringIncludes(refused.stderr, "Remove 1 blobs, and 0 unfinished writes of 0 B?");

  const done = await davit(containerd, [...prune, "--older-than", "0", "--yes", "-o", "json"]);
  const rows: Record<string, string>[] = JSON.parse(done.stdout);
  assertEquals(rows.map(({ content, status }) => [content, status]).sort(), [
    ["held", "kept"],
    [mine.digest, "removed"],
    ["young", "removed"],
  ]);
  assertEquals(rows.find(({ content }) => content === "held")!.reason, 'lease "at-work" holds it');
  assertEquals(await Array.fromAsync(here.content.listStatuses(), ({ ref }) => ref), ["held"]);
  assertEquals(await Array.fromAsync(here.leases.list(), ({ id }) => id), ["at-work"]);
  assertEquals((await davit(containerd, [...prune, "-A", "--yes", "-o", "json"])).stdout, "[]\n");
}, { fresh: true, collecting: "on request" });

realTest("snapshots prune removes trees that nothing refers to", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const inside = client.namespace(uniqueNamespace());
  const snapshots = inside.snapshots("overlayfs");
  const labels = { "containerd.io/gc.root": "x" };
  for (const key of ["kept", "lost"]) {
    await snapshots.prepare({ key: `${key}-active`, labels });
    await snapshots.commit({ key: `${key}-active`, name: key, labels });
    await snapshots.prepare({ key: `${key}-child`, parent: key, labels });
  }
  await inside.leases.create({ id: "at-work" });
  await inside.leases.addResource("at-work", { id: "kept-child", type: "snapshots/overlayfs" });
  await inside.leases.collectGarbage();
  await snapshots.update("kept-child", { labels: { "containerd.io/gc.root": "" } });
  await snapshots.update("lost-child", { labels: { "containerd.io/gc.root": "" } });
  await snapshots.update("lost", { labels: { "containerd.io/gc.root": "" } });
  const prune = ["-n", inside.name, "snapshots", "prune", "-o", "json"];
  const plan = JSON.parse((await davit(containerd, [...prune, "--dry-run"])).stdout);
  const reasons = [
    ["lost", "would be removed", "only snapshot overlayfs/lost-child refers to it, which nothing keeps"],
    ["lost-child", "would be removed", "nothing refers to it"],
  ];
  const shown = (rows: Record<string, string>[]) =>
    rows.map(({ key, status, reason }) => [key, status, reason]);
  assertEquals(shown(plan).sort(), reasons);
  const done = JSON.parse((await davit(containerd, [...prune, "--yes"])).stdout);
  assertEquals(shown(done).sort(), reasons.map(([key, , reason]) => [key, "removed", reason]));
  assertEquals(await Array.fromAsync(snapshots.list(), ({ key }) => key), ["kept", "kept-child"]);
}, { fresh: true, collecting: "on request" });

realTest("leases prune leaves every lease that somebody may need", async (_t, containerd) => {
  const dead = { ...await thisOwner(), startedAt: "1" }; // this pid, long ago
  await using client = await connect({ address: containerd.address, owner: () => Promise.resolve(dead) });
  await using living = await connect({ address: containerd.address, owner: thisOwner });
  const { leases, content, name } = client.namespace(uniqueNamespace());
  const blob = await randomBlob(1_500);
  const own = await leases.acquire({ prefix: "davit-dead" });
  await client.namespace(name).withLease(own.id).content.ingest(
    { ref: "x" },
    ReadableStream.from([blob.bytes]),
  );
  await using alive = await living.namespace(name).leases.acquire({ prefix: "davit-alive" });
  await leases.create({ id: "foreign" });
  await leases.create({ id: "over", expiresInMs: -60_000 });
  const prune = ["-n", name, "leases", "prune"];

  const plan = await davit(containerd, [...prune, "--dry-run"]);
  assertStringIncludes(
    plan.stderr,
    "Removing 2 of 4 leases would free 1.5 KiB in 1 blobs and 0 B in 0 snapshots",
  );
  assertEquals((await davit(containerd, prune)).code, 2);
  const done = await davit(containerd, [...prune, "--yes", "-o", "json"]);
  const rows: Record<string, string>[] = JSON.parse(done.stdout);
  assertEquals(Object.fromEntries(rows.map(({ id, status }) => [id, status])), {
    [own.id]: "removed",
    [alive.id]: "kept",
    foreign: "kept",
    over: "removed",
  });
  const left = await Array.fromAsync(leases.list(), ({ id }) => id);
  assertEquals(left.sort(), [alive.id, "foreign"].sort());
  assertEquals(await Array.fromAsync(content.list()), []);
}, { fresh: true, collecting: "on request" });

realTest("containers prune frees what it announces, and leaves what runs", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const image = await busyboxImage();
  await importWithCtr(containerd, namespace, ociArchive([image]), { unpack: true });
  const ctr = (...args: string[]) => containerd.ctr(args, { namespace });
  await ctr("run", "--detach", image.name, "running", "sleep", "600");
  await ctr("run", "--detach", image.name, "ended", "sh", "-c", "head -c 100000 /dev/zero > /big");
  await ctr("containers", "create", image.name, "idle", "true");
  await ctr("containers", "create", "--label", "io.cri-containerd.kind=container", image.name, "pod", "true");
  await using client = await connect({ address: containerd.address });
  const inside = client.namespace(namespace);
  await inside.tasks.wait("ended");
  const before = await snapshotBytes(inside);
  const prune = ["-n", namespace, "containers", "prune", "-o", "json"];
  assertEquals(
    (await davit(containerd, [...prune, "--yes"])).stdout,
    "[]\n",
    "they are younger than an hour",
  );
  const argv = [...prune, "--older-than", "0", "--log-format", "text"];
  const plan = await davit(containerd, [...argv, "--dry-run"]);
  const rows: Record<string, string>[] = JSON.parse(plan.stdout);
  assertEquals(rows.map(({ id, reason }) => [id, reason]), [
    ["ended", "its task is stopped"],
    ["idle", "it has no task"],
  ]);
  const [, announced] = /in 0 blobs and ([\d.]+) KiB in 2 snapshots/.exec(plan.stderr)!;
  const done = await davit(containerd, [...argv, "--yes"]);
  assertEquals(done.code, 0, done.stderr);
  const freed = before - await snapshotBytes(inside);
  assert(freed >= 100_000);
  assertEquals((freed / 1024).toFixed(1), announced);
  const left = await ctr("containers", "ls", "-q");
  assertEquals(left.stdout.trim().split("\n"), ["pod", "running"]);
}, { series: ["2"] });

realTest("prune, df and doctor show hostile names as nothing that acts", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const inside = client.namespace(uniqueNamespace());
  const target = {
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    digest: `sha256:${"7".repeat(64)}`,
    size: 5,
  };
  for (const name of hostileNames) {
    await inside.images.create({ name, target });
    await inside.leases.create({ id: name, expiresInMs: -1_000 });
    await inside.snapshots("overlayfs").prepare({
      key: `key ${name}`,
      labels: { "containerd.io/gc.root": "x" },
    });
  }
  for (const { key } of await Array.fromAsync(inside.snapshots("overlayfs").list())) {
    await inside.snapshots("overlayfs").update(key, { labels: { "containerd.io/gc.root": "" } });
  }
  const argvs = [
    ["images", "prune", "--unused", "--min-age", "0", "--dry-run"],
    ["snapshots", "prune", "--dry-run"],
    ["leases", "prune", "--dry-run"],
    ["images", "df"],
    ["doctor"],
  ];
  for (const argv of argvs) {
    const { stdout, stderr } = await davit(containerd, ["-n", inside.name, ...argv]);
    assert(stdout.includes("\\x1b[31mred"), `${argv}: ${stdout}`);
    // deno-lint-ignore no-control-regex
    for (const text of [stdout, stderr]) assert(!/[\x00-\x09\x0b-\x1f\x7f\u202e]/.test(text), argv.join(" "));
    const lines = stdout.trimEnd().split("\n").length;
    assert(lines < 5 * hostileNames.length, `${argv}: a name broke into lines`);
  }
  const doctor = await davit(containerd, ["-n", inside.name, "doctor", "-o", "json"]);
  const commands = (JSON.parse(doctor.stdout) as { command: string }[]).map(({ command }) => command);
  assert(commands.some((command) => command.includes("images remove 'two\nlines'")), commands.join("\n"));
  assertMatch(commands.join("\n"), /images remove 'quo"ted\\'/);
}, { series: ["2"], collecting: "on request" });

async function snapshotBytes(client: NamespacedClient): Promise<number> {
  const snapshots = client.snapshots("overlayfs");
  let bytes = 0;
  for await (const { key } of snapshots.list()) bytes += (await snapshots.usage(key)).size;
  return bytes;
}

/** A write that goes on, and to which nothing is added. */
async function resting({ content }: NamespacedClient, ref: string): Promise<AsyncDisposable> {
  const gate = Promise.withResolvers<void>();
  const source = async function* () {
    yield new Uint8Array(1 << 20);
    await gate.promise;
    throw new Error("enough");
  };
  const writing = content.ingest({ ref, size: 2 << 20 }, source()).catch(() => {});
  const isThere = async () =>
    (await Array.fromAsync(content.listStatuses())).some((status) => status.ref === ref);
  while (!await isThere()) await new Promise((resolve) => setTimeout(resolve, 10));
  return {
    [Symbol.asyncDispose]: async () => {
      gate.resolve();
      await writing;
    },
  };
}
