import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { ContainerdError, FailedPreconditionError, NotFoundError } from "../../lib/errors.ts";
import { type Limits, limitsOf } from "../../lib/oci/spec/limits.ts";
import { daemonTest } from "./both_transports.ts";
import { removeContainer } from "../../lib/run/remove.ts";
import { execProcess } from "../../lib/run/run.ts";
import { leftOf, runTest, startBusybox } from "./run/setting.ts";
import { busyboxName, createContainer, importBusybox } from "./some_container.ts";

daemonTest(
  "tasks.list() and get() show what runs, and what has stopped and how",
  async (setting) => {
    const { containerd, namespaced: { tasks, name: namespace } } = setting;
    await importBusybox(setting);
    const stopped = async (id: string) => {
      for (;;) {
        const task = await tasks.get(id);
        if (task.status === "stopped") return task;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    const ctr = (...args: string[]) => containerd.ctr(args, { namespace });
    await ctr("run", "--detach", busyboxName, "sleeper", "sleep", "600");
    await ctr("run", "--detach", busyboxName, "quitter", "sh", "-c", "exit 7");
    await createContainer(setting, "idle");

    const sleeper = await tasks.get("sleeper");
    assertEquals(sleeper, { id: "sleeper", pid: sleeper.pid, status: "running", io: sleeper.io });
    assertEquals(sleeper.io.terminal, false);
    assert(
      Object.values(sleeper.io).slice(0, 3).every((path) => `${path}`.startsWith("/run/containerd/fifo/")),
    );
    assertEquals(await Deno.readTextFile(`/proc/${sleeper.pid}/cmdline`), "sleep\x00600\x00");
    const quitter = await stopped("quitter");
    assertEquals(quitter.exitStatus, 7);
    assert(Math.abs(quitter.exitedAt!.getTime() - Date.now()) < 60_000);
    const listed = await Array.fromAsync(tasks.list());
    assertEquals(listed.map(({ id, status }) => `${id} ${status}`).sort(), [
      "quitter stopped",
      "sleeper running",
    ]);

    const { message } = await assertRejects(() => tasks.get("idle"), NotFoundError);
    assertEquals(message, `Cannot get task "idle" in namespace "${namespace}": not found`);
    await assertRejects(() => tasks.get("none"), NotFoundError, 'container "none" in namespace');

    await ctr("tasks", "pause", "sleeper");
    assertEquals((await tasks.get("sleeper")).status, "paused");
    await ctr("tasks", "resume", "sleeper");
    await ctr("tasks", "kill", "--signal", "SIGKILL", "sleeper");
    assertEquals((await stopped("sleeper")).exitStatus, 137);
  },
);

runTest("tasks.listPids() and metrics() tell of what runs in a container", async ({ client }) => {
  const { containerId, pid } = await startBusybox(client, ["sh", "-c", "sleep 600 & wait"], {
    output: "null",
    memoryLimit: 64 * 1024 ** 2,
  });
  const { tasks } = client;
  const one = await execProcess(client, {
    containerId,
    execId: "one",
    command: ["sleep", "600"],
    output: "null",
  });
  let processes = await tasks.listPids(containerId);
  while (processes.length < 3) processes = await tasks.listPids(containerId); // the shell may not have begun
  assertEquals(processes.find((process) => process.pid === pid), { pid });
  assertEquals(processes.find((process) => process.pid === one.pid), { pid: one.pid, execId: "one" });

  const [metrics] = await Array.fromAsync(tasks.metrics({ containerIds: [containerId] }));
  assertEquals([metrics!.id, metrics!.memoryLimit], [containerId, 64 * 1024 ** 2]);
  assert(metrics!.pids >= 3 && metrics!.memory > 0 && metrics!.cpuNs > 0 && metrics!.cgroup !== "unknown");
  assertEquals(await Array.fromAsync(tasks.metrics({ containerIds: ["none"] })), []);
  await assertRejects(() => tasks.listPids("none"), NotFoundError);
  await removeContainer(client, containerId, { force: true });
});

runTest(
  "tasks.pause() and resume() say in which state a task is that does not allow it",
  async ({ client }) => {
    const { tasks, name } = client;
    const { containerId } = await startBusybox(client, ["sleep", "600"], { output: "null" });
    const refused = async (action: "pause" | "resume", status: string) => {
      const { message } = await assertRejects(() => tasks[action](containerId), FailedPreconditionError);
      assertEquals(message, `Cannot ${action} task "${containerId}" in namespace "${name}": it is ${status}`);
    };
    await refused("resume", "running");
    await tasks.pause(containerId);
    await refused("pause", "paused");
    await tasks.resume(containerId);
    await tasks.kill({ containerId, signal: 9 });
    await tasks.wait(containerId);
    await refused("pause", "stopped");
    await refused("resume", "stopped");
    await removeContainer(client, containerId);
    await assertRejects(() => tasks.pause(containerId), NotFoundError);
  },
);

runTest(
  "tasks.update() changes the limits of a task that runs, as its control group shows",
  async ({ client }) => {
    const { tasks } = client;
    const { containerId } = await startBusybox(client, ["sleep", "600"], { output: "null" });
    const [metrics] = await Array.fromAsync(tasks.metrics({ containerIds: [containerId] }));
    const limits = () => limitsOfCgroup({ path: `${client.name}/${containerId}`, version: metrics!.cgroup });
    assertEquals((await limits()).cpus, Infinity);
    const update = (change: Limits) => tasks.update({ containerId, resources: limitsOf(change) });
    await update({ memoryLimit: 64 * 1024 ** 2, cpus: 0.25 });
    assertEquals(await limits(), { memory: 64 * 1024 ** 2, cpus: 0.25 });
    await update({ memoryLimit: 128 * 1024 ** 2 });
    assertEquals(await limits(), { memory: 128 * 1024 ** 2, cpus: 0.25 });
    await update({ memoryLimit: 0, cpus: 0 });
    const { memory, cpus } = await limits();
    assert(memory > 2 ** 50 && cpus === Infinity, `${memory} bytes, ${cpus} processors`);
    await tasks.pause(containerId);
    await update({ cpus: 1.5 });
    assertEquals((await limits()).cpus, 1.5);
    await tasks.resume(containerId);
    await assertRejects(() => update({ memoryLimit: 4096 }), ContainerdError, "Cannot update task"); // it has more
    await tasks.kill({ containerId, signal: 9 });
    await tasks.wait(containerId);
    await assertRejects(() => update({ cpus: 1 }), FailedPreconditionError, "it is stopped");
    await removeContainer(client, containerId);
    await assertRejects(() => update({ cpus: 1 }), NotFoundError);
  },
);

/** CRIU, which seldom is there, writes the state of processes down. */
async function hasCriu(): Promise<boolean> {
  try {
    const criu = new Deno.Command("criu", { args: ["check"], stdout: "null", stderr: "null" });
    return (await criu.output()).success;
  } catch {
    return false;
  }
}

runTest("tasks.checkpoint() keeps the state of a task, or says that it needs CRIU", async (setting) => {
  const { client } = setting;
  await using folder = await Folder.make();
  const config = join(folder.path, "criu.conf");
  await Deno.writeTextFile(config, "network-lock skip\n"); // it has no network, and that needs iptables
  const script = "i=0; while :; do i=$((i+1)); echo $i > /count; sleep 0.05; done";
  const { containerId, pid, io } = await startBusybox(client, ["sh", "-c", script], {
    output: "null",
    annotations: { "org.criu.config": config },
  });
  /** What it counts, once that is another number; in the midst of writing it is none. */
  const another = async (than: number, of = pid) => {
    for (;;) {
      const count = Number(await Deno.readTextFile(`/proc/${of}/root/count`).catch(() => ""));
      if (count !== 0 && count !== than) return count;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const checkpoint = (tasks = client.tasks) => tasks.checkpoint(containerId, { exit: true });
  if (!await hasCriu()) {
    await assertRejects(() => checkpoint(), ContainerdError, "criu");
    assertEquals((await client.tasks.get(containerId)).status, "running");
  } else {
    const before = await another(0);
    await using lease = await client.leases.acquire({ prefix: "checkpoint" });
    const descriptors = await checkpoint(client.withLease(lease.id).tasks);
    assertEquals(descriptors.map(({ mediaType }) => mediaType.slice(mediaType.indexOf(".checkpoint") + 1)), [
      "checkpoint.criu.tar",
      "checkpoint.config.v1+proto",
    ]);
    await client.tasks.wait(containerId);
    await client.tasks.delete(containerId);
    const { snapshotter, snapshotKey } = await client.containers.get(containerId);
    const rootfs = await client.snapshots(snapshotter).mounts(snapshotKey);
    await client.tasks.create({ containerId, rootfs, io, checkpoint: descriptors[0] });
    const restored = await client.tasks.start(containerId);
    const first = await another(0, restored.pid);
    const next = await another(first, restored.pid);
    assert(before <= first && first < next, `${before}, then ${first}, ${next}`);
  }
  await removeContainer(client, containerId, { force: true });
  assertEquals(await leftOf(setting), []);
});

/** What the files of a control group say: bytes, and processors' time. */
async function limitsOfCgroup(
  { path, version }: { path: string; version: string },
): Promise<{ memory: number; cpus: number }> {
  const read = (file: string) => Deno.readTextFile(`/sys/fs/cgroup/${file}`);
  const number = (text: string) => (["max", "-1"].includes(text) ? Infinity : Number(text));
  if (version === "v2") {
    const [quota = "", period = ""] = (await read(`${path}/cpu.max`)).trim().split(" ");
    return {
      memory: number((await read(`${path}/memory.max`)).trim()),
      cpus: number(quota) / Number(period),
    };
  }
  const cpu = async (name: string) => number((await read(`cpu/${path}/cpu.cfs_${name}_us`)).trim());
  return {
    memory: number((await read(`memory/${path}/memory.limit_in_bytes`)).trim()),
    cpus: await cpu("quota") / await cpu("period"),
  };
}

class Folder implements AsyncDisposable {
  private constructor(readonly path: string) {}

  static async make(): Promise<Folder> {
    return new Folder(await Deno.makeTempDir({ prefix: "davit-test-tasks-" }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}
