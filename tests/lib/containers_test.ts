import { assert, assertEquals, assertRejects } from "@std/assert";
import { NotFoundError } from "../../lib/errors.ts";
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
