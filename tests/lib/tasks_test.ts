import { assert, assertEquals, assertRejects } from "@std/assert";
import { NotFoundError } from "../../lib/errors.ts";
import { daemonTest } from "./both_transports.ts";
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
    assertEquals(sleeper, { id: "sleeper", pid: sleeper.pid, status: "running" });
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
