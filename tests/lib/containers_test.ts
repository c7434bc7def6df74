import { assert, assertEquals, assertRejects } from "@std/assert";
import { AlreadyExistsError, NotFoundError } from "../../lib/errors.ts";
import { defaultSpec } from "../../lib/oci/spec/default_spec.ts";
import { quoted } from "../../lib/oci/quoted.ts";
import { daemonTest } from "./both_transports.ts";
import { hostileNames } from "./hostile.ts";
import { busyboxName, createContainer, importBusybox } from "./some_container.ts";

daemonTest("containers.list() and get() show what ctr created", async (setting) => {
  const { namespaced: { containers, name: namespace } } = setting;
  await importBusybox(setting);
  const began = Date.now();
  await createContainer(setting, "c1", ["--label", "team=deck"]);
  await createContainer(setting, "c2");
  const c1 = await containers.get("c1");
  assertEquals(c1.labels.team, "deck");
  assertEquals(
    [c1.id, c1.image, c1.runtime, c1.snapshotter, c1.snapshotKey],
    ["c1", busyboxName, "io.containerd.runc.v2", "overlayfs", "c1"],
  );
  for (const instant of [c1.createdAt, c1.updatedAt]) {
    assert(instant.getTime() >= began && instant.getTime() <= Date.now(), instant.toISOString());
  }
  const listed = await Array.fromAsync(containers.list());
  assertEquals(listed.map(({ id }) => id), ["c1", "c2"]);
  assertEquals(listed[0], c1);
  const filters = ["labels.team==deck"];
  assertEquals(await Array.fromAsync(containers.list({ filters })), [c1]);
  for (const id of ["none", ...hostileNames]) {
    const { message } = await assertRejects(() => containers.get(id), NotFoundError);
    assertEquals(message, `Cannot get container ${quoted(id)} in namespace "${namespace}": not found`);
  }
});

daemonTest(
  "containers.create(), update(), spec() and delete() keep the record of a container",
  async (setting) => {
    const { namespaced: { containers, name: namespace } } = setting;
    const spec = defaultSpec({ namespace, id: "c" });
    const created = await containers.create({
      id: "c",
      runtime: "io.containerd.runc.v2",
      spec,
      labels: { a: "1", b: "2" },
    });
    assertEquals([created.id, created.image, created.snapshotKey, created.labels], ["c", "", "", {
      a: "1",
      b: "2",
    }]);
    assertEquals(await containers.spec("c"), spec);
    const again = () => containers.create({ id: "c", runtime: "io.containerd.runc.v2", spec });
    await assertRejects(
      again,
      AlreadyExistsError,
      `Cannot create container "c" in namespace "${namespace}": already exists`,
    );

    const updated = await containers.update("c", { labels: { a: "", c: "3" } });
    assertEquals(updated.labels, { b: "2", c: "3" });
    assertEquals((await containers.update("c", { labels: {} })).labels, { b: "2", c: "3" });
    assertEquals(await containers.spec("c"), spec, "an update leaves the rest alone");
    await containers.delete("c");
    await assertRejects(() => containers.delete("c"), NotFoundError);
    await assertRejects(() => containers.update("c", { labels: { a: "1" } }), NotFoundError);
    await assertRejects(() => containers.spec("c"), NotFoundError);
  },
);
