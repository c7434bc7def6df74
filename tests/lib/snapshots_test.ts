import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  AlreadyExistsError,
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
  UnimplementedError,
} from "../../lib/errors.ts";
import { daemonTest } from "./both_transports.ts";
import { createContainer, importBusybox } from "./some_container.ts";

daemonTest("snapshots.list(), stat() and usage() show what ctr unpacked and prepared", async (setting) => {
  const { namespaced, containerd } = setting;
  await importBusybox(setting);
  await createContainer(setting, "c1");
  const snapshots = namespaced.snapshots("overlayfs");
  const listed = await Array.fromAsync(snapshots.list());
  const { stdout } = await containerd.ctr(["snapshots", "list"], { namespace: namespaced.name });
  const rows = stdout.trim().split("\n").slice(1).map((line) => line.trim().split(/\s+/));
  const inCtr = rows.map(([key, ...rest]) => [key, rest.length > 1 ? rest[0] : "", rest.at(-1)]);
  assertEquals(
    listed.map(({ key, parent, kind }) => [key, parent, kind[0]!.toUpperCase() + kind.slice(1)]).sort(),
    inCtr.sort(),
  );
  const active = await snapshots.stat("c1");
  assertEquals(active.kind, "active");
  const base = await snapshots.stat(active.parent);
  assertEquals(base.kind, "committed");
  assertEquals(listed.find(({ key }) => key === "c1"), active);
  assertEquals(await Array.fromAsync(snapshots.list({ filters: ["kind==active"] })), [active]);
  const { size, inodes } = await snapshots.usage(base.key);
  assert(size > 1_000_000 && inodes > 10, `${size} bytes, ${inodes} inodes`);
  const { message } = await assertRejects(() => snapshots.stat("none"), NotFoundError);
  assertEquals(message, `Cannot get snapshot "none" in namespace "${namespaced.name}": not found`);
  await assertRejects(
    () => snapshots.usage("none"),
    NotFoundError,
    'Cannot get the usage of snapshot "none"',
  );
  const unknown = namespaced.snapshots("none").list();
  await assertRejects(() => Array.fromAsync(unknown), InvalidArgumentError, "snapshotter not loaded: none");
});

daemonTest("snapshots.prepare(), commit() and view() build one on the other", async ({ namespaced }) => {
  const client = namespaced.withLease((await namespaced.leases.create({ id: "l" })).id);
  for (const snapshots of [client.snapshots("overlayfs"), client.snapshots("native")]) {
    const mounts = await snapshots.prepare({ key: "a", labels: { l: "1" } });
    assertEquals(mounts.length, 1);
    assertEquals(await snapshots.mounts("a"), mounts);
    await Deno.writeTextFile(`${mounts[0]!.source}/file`, "hello"); // the first of a chain is a bind mount
    const twice = () => snapshots.prepare({ key: "a" });
    const { message } = await assertRejects(twice, AlreadyExistsError);
    assertEquals(message, `Cannot prepare snapshot "a" in namespace "${client.name}": already exists`);
    await snapshots.commit({ name: "base", key: "a", labels: { l: "2" } });
    const base = await snapshots.stat("base");
    assertEquals([base.kind, base.parent, base.labels], ["committed", "", { l: "2" }]);
    await assertRejects(() => snapshots.stat("a"), NotFoundError);
    await assertRejects(() => snapshots.commit({ name: "b", key: "a" }), NotFoundError);
    await assertRejects(() => snapshots.mounts("base"), Error);

    const [view] = await snapshots.view({ key: "v", parent: "base" });
    assert(view!.options.includes("ro"), view!.options.join());
    assertEquals(await Deno.readTextFile(`${view!.source}/file`), "hello");
    await snapshots.prepare({ key: "child", parent: "base" });
    const named = { key: "other", parent: "base", labels: { "containerd.io/snapshot.ref": "base" } };
    await assertRejects(() => snapshots.prepare(named), AlreadyExistsError);
    await assertRejects(() => snapshots.prepare({ key: "x", parent: "none" }), NotFoundError);
    await assertRejects(() => snapshots.commit({ name: "base", key: "child" }), AlreadyExistsError);
    await assertRejects(
      () => snapshots.remove("base"),
      FailedPreconditionError,
      `Cannot remove snapshot "base" in namespace "${client.name}": `,
    );
    for (const key of ["v", "child", "base"]) await snapshots.remove(key);
    assertEquals(await Array.fromAsync(snapshots.list()), []);
    await assertRejects(() => snapshots.remove("base"), NotFoundError);
  }
});

daemonTest("snapshots.update() changes the labels that it names, and no other", async ({ namespaced }) => {
  const snapshots = namespaced.snapshots("overlayfs");
  const root = { "containerd.io/gc.root": "1" };
  await snapshots.prepare({ key: "a", labels: { ...root, one: "1", two: "2" } });
  const updated = await snapshots.update("a", { labels: { two: "", "a.b/c": "3" } });
  assertEquals(updated.labels, { ...root, one: "1", "a.b/c": "3" });
  assertEquals((await snapshots.update("a", { labels: {} })).labels, updated.labels);
  assertEquals((await snapshots.stat("a")).labels, updated.labels);
  await assertRejects(
    () => snapshots.update("none", { labels: { a: "1" } }),
    NotFoundError,
    'Cannot label snapshot "none"',
  );
});

daemonTest("snapshots live as long as a lease holds them", async ({ namespaced }) => {
  await namespaced.leases.create({ id: "l" });
  const leased = namespaced.withLease("l").snapshots("overlayfs");
  await leased.prepare({ key: "a" });
  await leased.commit({ name: "base", key: "a" });
  await leased.view({ key: "v", parent: "base" });
  await namespaced.leases.collectGarbage();
  const keys = () => Array.fromAsync(namespaced.snapshots("overlayfs").list(), ({ key }) => key);
  assertEquals((await keys()).sort(), ["base", "v"]);
  await namespaced.leases.delete("l", { sync: true });
  assertEquals(await keys(), []);
});

daemonTest("snapshots.cleanup() is for the containerds that know it", async ({ namespaced }) => {
  for (const snapshotter of ["overlayfs", "native"]) {
    await assertRejects(
      () => namespaced.snapshots(snapshotter).cleanup(),
      UnimplementedError,
      `Cannot clean up snapshotter "${snapshotter}"`,
    );
  }
});
