import { assert, assertEquals, assertRejects } from "@std/assert";
import { InvalidArgumentError, NotFoundError } from "../../lib/errors.ts";
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
