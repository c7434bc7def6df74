import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  Client,
  connect,
  FailedPreconditionError,
  knownSandboxes,
  NotFoundError,
  planPurge,
  purgeNamespace,
} from "davit";
import { guarded } from "../../../lib/transport/guard.ts";
import { Images, Namespaces } from "../../../lib/transport/methods.ts";
import { openSocket } from "../../../lib/transport/socket.ts";
import { meddled } from "../../fault/meddler.ts";
import type { Containerd } from "../../real/containerd.ts";
import { busyboxImage, importWithCtr, ociArchive } from "../../real/images.ts";
import { run } from "../../real/process.ts";
import { busyboxStatic } from "../../real/releases.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { shimsOf, startSandbox } from "../some_sandbox.ts";

/** Fills a namespace with everything that can be in one; resolves to the pids of its processes. */
async function fill(containerd: Containerd, client: Client, namespace: string): Promise<number[]> {
  const image = await busyboxImage();
  await importWithCtr(containerd, namespace, ociArchive([image]), { unpack: true });
  const sleep = ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done"];
  const run = (id: string, ...flags: string[]) =>
    containerd.ctr(["run", "-d", ...flags, image.name, id, ...sleep], { namespace });
  await run("running");
  const deaf = ["sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"];
  await containerd.ctr(["run", "-d", image.name, "stubborn", ...deaf], { namespace });
  await run("paused");
  await run("orphan");
  await containerd.ctr(["tasks", "exec", "--exec-id", "x", "-d", "stubborn", "sleep", "1000"], { namespace });
  await containerd.ctr(["tasks", "pause", "paused"], { namespace });
  await containerd.ctr(["containers", "create", image.name, "without-task", "true"], { namespace });
  const inside = client.namespace(namespace);
  const pids = await Array.fromAsync(inside.tasks.list(), ({ pid }) => pid);
  await inside.containers.delete("orphan");
  const native = inside.snapshots("native");
  await native.prepare({ key: "base-active", labels: { "containerd.io/gc.root": "x" } });
  await native.commit({ key: "base-active", name: "base", labels: { "containerd.io/gc.root": "x" } });
  await native.prepare({ key: "child", parent: "base", labels: { "containerd.io/gc.root": "x" } });
  await client.namespace(namespace).content.write(
    { digest: `sha256:${"7".repeat(64)}`, size: 10, ref: "half" },
    async function* () {
      yield new Uint8Array(5);
      throw Object.assign(new Error("it broke off"), { isTemporary: true });
    },
  ).catch(() => {});
  const kept = ReadableStream.from([new TextEncoder().encode("kept")]);
  await inside.content.ingest({ ref: "kept", labels: { "containerd.io/gc.root": "x" } }, kept);
  if (containerd.release.series === "1.7") await startSandbox(containerd, namespace, "pod");
  if (containerd.release.series === "2") {
    await inside.sandboxes.create({ id: "pod", runtime: "io.containerd.runc.v2" });
  }
  return pids;
}

realTest(
  "purgeNamespace() leaves nothing in any list, no process, no mount and no cgroup",
  async (_t, containerd) => {
    await using client = await connect({ address: containerd.address });
    const namespace = uniqueNamespace();
    const pids = await fill(containerd, client, namespace);
    assertEquals(pids.length, 4);
    const plan = await planPurge(client, namespace);
    assertEquals([plan.images, plan.containers, plan.tasks, plan.liveLeases], [1, 4, 4, []]);
    assert(plan.snapshots >= 7 && plan.blobs >= 4);
    assertEquals([plan.ingests, plan.sandboxes], [1, containerd.release.series === "1.6" ? 0 : 1]);

    const result = await purgeNamespace(client, namespace, { graceMs: 3_000 });
    assertEquals(result, { namespace, status: "removed", rounds: 1 });
    assert(!(await client.namespaces.exists(namespace)));
    const inside = client.namespace(namespace);
    assertEquals(await Array.fromAsync(inside.tasks.list()), []);
    assertEquals(await Array.fromAsync(inside.snapshots("overlayfs").list()), []);
    assertEquals(await Array.fromAsync(inside.snapshots("native").list()), []);
    assertEquals(await Array.fromAsync(inside.content.list()), []);
    assertEquals(await Array.fromAsync(inside.content.listStatuses()), []);
    assertEquals(await Array.fromAsync(inside.containers.list()), []);
    assertEquals(await Array.fromAsync(inside.images.list()), []);
    assertEquals(await Array.fromAsync(inside.leases.list()), []);
    assertEquals(await Array.fromAsync(knownSandboxes(inside)), []);
    for (const pid of pids) assert(!(await isAlive(pid)), `process ${pid} goes on`);
    assertEquals(await shimsOf(namespace), []);
    const groups = await run("find", ["/sys/fs/cgroup", "-type", "d", "-name", namespace], { check: false });
    assertEquals(groups.stdout, "");
    const mounts = await Deno.readTextFile("/proc/self/mounts");
    assertEquals(mounts.split("\n").filter((line) => line.includes(namespace)), []);
    assert(!(await client.namespaces.exists(namespace)), "looking made it again");
  },
  { fresh: true },
);

realTest(
  "purgeNamespace() refuses what is protected or worked in, and changes nothing",
  async (_t, containerd) => {
    await using client = await connect({ address: containerd.address });
    const namespace = uniqueNamespace();
    await importWithCtr(containerd, "moby", ociArchive([await busyboxImage()]));
    const isProtected = () => purgeNamespace(client, "moby");
    await assertRejects(isProtected, FailedPreconditionError, "it is protected");
    assertEquals((await planPurge(client, "moby")).images, 1);

    await importWithCtr(containerd, namespace, ociArchive([await busyboxImage()]));
    await client.namespace(namespace).leases.create({ id: "pulling" });
    await assertRejects(
      () => purgeNamespace(client, namespace),
      FailedPreconditionError,
      'holds lease "pulling"',
    );
    assertEquals((await planPurge(client, namespace)).images, 1);
    assertEquals((await purgeNamespace(client, namespace, { deleteLeases: true })).status, "removed");
    await assertRejects(() => purgeNamespace(client, namespace), NotFoundError);
    assertEquals((await purgeNamespace(client, "moby", { allowProtected: true })).status, "removed");
  },
  { fresh: true },
);

realTest("purgeNamespace() ends, whoever goes on writing", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const namespace = uniqueNamespace();
  const { leases, images } = client.namespace(namespace);
  const target = {
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    digest: `sha256:${"1".repeat(64)}`,
    size: 1,
  };
  await images.create({ name: "example.com/first:1", target });
  let isWriting = true;
  const writer = (async () => {
    for (let at = 0; isWriting; at++) {
      await images.create({ name: `example.com/again:${at}`, target });
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();
  try {
    const outcome = await purgeNamespace(client, namespace).then(({ status }) => status, (error) => {
      assert(error instanceof FailedPreconditionError, error);
      return "refused";
    });
    assert(outcome !== "removed", outcome);
  } finally {
    isWriting = false;
    await writer;
  }
  assertEquals((await purgeNamespace(client, namespace)).status, "removed");
  assertEquals(await Array.fromAsync(leases.list()), []);
}, { series: ["2"], fresh: true });

realTest("purgeNamespace() ends what begins while it is at work", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  let began = 0;
  // A task that starts just before the namespace is deleted, and whose container's record goes: nobody looks for those.
  const start = async () => {
    const rootfs = `${containerd.root}/rootfs`;
    await Deno.mkdir(`${rootfs}/bin`, { recursive: true });
    await Deno.copyFile(await busyboxStatic(), `${rootfs}/bin/sleep`);
    await containerd.ctr(["run", "--detach", "--rootfs", rootfs, "late", "/bin/sleep", "600"], { namespace });
    const { tasks, containers } = client.namespace(namespace);
    began = (await tasks.get("late")).pid;
    await containers.delete("late");
  };
  const transport = guarded(await openSocket({ path: containerd.address }));
  await using client = new Client(meddled(transport, async ({ method }) => {
    if (method === Namespaces.delete.name && began === 0) await start();
  }));
  await client.namespaces.create(namespace);
  const result = await purgeNamespace(client, namespace, { graceMs: 0 });
  assertEquals(result, { namespace, status: "removed", rounds: 2 });
  assert(began > 0 && !(await isAlive(began)));
  assertEquals(await shimsOf(namespace), []);
}, { series: ["2"], fresh: true });

realTest("purgeNamespace() leaves the lease of whoever begins to work meanwhile", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  await importWithCtr(containerd, namespace, ociArchive([await busyboxImage()]));
  const transport = guarded(await openSocket({ path: containerd.address }));
  await using client = new Client(meddled(transport, async ({ method }) => {
    if (method !== Images.delete.name) return;
    await containerd.ctr(["leases", "create", "--id", "pulling"], { namespace });
  }));
  const purge = () => purgeNamespace(client, namespace);
  await assertRejects(purge, FailedPreconditionError, 'holds lease "pulling"');
  const { leases } = client.namespace(namespace);
  assertEquals(await Array.fromAsync(leases.list(), ({ id }) => id), ["pulling"]);
  assertEquals((await purgeNamespace(client, namespace, { deleteLeases: true })).status, "removed");
}, { series: ["2"] });

async function isAlive(pid: number): Promise<boolean> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`).catch(() => "");
  return status !== "" && !/^State:\s+Z/m.test(status);
}
