import { assert, assertEquals, assertRejects } from "@std/assert";
import { NotFoundError } from "../../lib/errors.ts";
import { daemonTest } from "./both_transports.ts";
import { removeContainer } from "../../lib/run/remove.ts";
import { execProcess } from "../../lib/run/run.ts";
import { runTest, startBusybox } from "./run/setting.ts";
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
