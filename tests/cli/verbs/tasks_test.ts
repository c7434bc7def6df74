import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Containerd } from "../../real/containerd.ts";
import { busyboxImage, importWithCtr, ociArchive } from "../../real/images.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { findImage } from "../../../lib/image/tag.ts";
import { removeContainer } from "../../../lib/run/remove.ts";
import { parseSignal, signals } from "../../../lib/oci/signal.ts";
import { Captured, runTest, startBusybox } from "../../lib/run/setting.ts";
import { davit } from "./davit.ts";

/** KILL and STOP, which no process sees, and CHLD, which a shell gets all the time. */
const uncatchable = [9, 19, 17];

realTest("tasks list shows what ctr shows, and in its wide form how tasks ended", async (_t, containerd) => {
  const namespace = uniqueNamespace();
  const image = await busyboxImage();
  await importWithCtr(containerd, namespace, ociArchive([image]), { unpack: true });
  const ctr = (...args: string[]) => containerd.ctr(args, { namespace });
  await ctr("run", "--detach", image.name, "quitter", "sh", "-c", "exit 7");
  await ctr("run", "--detach", image.name, "sleeper", "sleep", "600");
  await ctr("run", "--detach", image.name, "pauser", "sleep", "600");
  await ctr("tasks", "pause", "pauser");
  await untilStopped("quitter", { containerd, namespace });
  const list = (...argv: string[]) => davit(containerd, ["-n", namespace, "tasks", "ls", ...argv]);

  const [header, ...rows] = cells((await list()).stdout);
  const [headerOfCtr, ...rowsOfCtr] = cells((await ctr("tasks", "ls")).stdout);
  assertEquals(header, headerOfCtr);
  assertEquals(
    rows.map(([id, pid, status]) => [id, pid, status?.toUpperCase()]).sort(),
    rowsOfCtr.map(([id, pid, status]) => [id, pid, status]).sort(),
  );
  const names = (text: string) => text.trimEnd().split("\n").sort();
  assertEquals(names((await list("-q")).stdout), names((await ctr("tasks", "ls", "-q")).stdout));

  const json = JSON.parse((await list("-o", "json")).stdout) as Record<string, unknown>[];
  const quitter = json.find(({ id }) => id === "quitter")!;
  const { exitStatus, image: name } = quitter;
  assertEquals([exitStatus, name], [7, image.name]);
  assertEquals(Object.keys(quitter), ["id", "pid", "status", "image", "exitStatus", "exitedAt", "createdAt"]);
  const wide = cells((await list("-o", "wide")).stdout).find(([id]) => id === "quitter")!;
  assertEquals([wide[2], wide[4]], ["stopped", "7"]);
  assertMatch(wide[5]!, /^now|\d+s ago$/);

  const all = await davit(containerd, ["tasks", "ls", "-A", "-o", "json"]);
  assertEquals(
    JSON.parse(all.stdout).filter((row: { namespace: string }) => row.namespace === namespace).length,
    3,
  );
  const nowhere = await davit(containerd, ["-n", "nowhere", "tasks", "ls"]);
  assertEquals([nowhere.code, nowhere.stdout], [0, "TASK  PID  STATUS\n"]);
  assertMatch(nowhere.stderr, /^No tasks in namespace "nowhere", but in "test-\w+"\n$/);
});

runTest(
  "tasks kill sends every signal, by its name or number, to where it is seen",
  async ({ client, containerd }) => {
    const numbers = [...new Set(signals.values())].filter((number) => !uncatchable.includes(number));
    const traps = numbers.map((number) => `trap 'echo got ${number}' ${number}`).join("; ");
    const captured = new Captured();
    const process = await startBusybox(client, [
      "sh",
      "-c",
      `${traps}; echo ready; while :; do sleep 0.01; done`,
    ], {
      streams: captured.streams(),
    });
    const { containerId } = process;
    await captured.until("ready");
    const kill = (signal: string) =>
      davit(containerd, ["-n", client.name, "tasks", "kill", "-s", signal, containerId]);
    for (const number of numbers) {
      assertEquals((await kill(String(number))).code, 0);
      await captured.until(`got ${number}\n`);
    }
    const seen = () => captured.stdout.split("\n").length;
    for (const name of ["hup", "SIGUSR1", "Winch", "rtmin+3", "SIGRTMAX-14", "sigrtmax"]) {
      const before = seen();
      assertEquals((await kill(name)).code, 0);
      while (seen() === before) await new Promise((resolve) => setTimeout(resolve, 10));
      assertEquals(captured.stdout.trimEnd().split("\n").at(-1), `got ${parseSignal(name)}`);
    }
    const before = captured.stdout;
    for (const name of ["0", "65", "-9", "9.5", "BOGUS", "SIGSIGTERM", "RTMIN+99", ""]) {
      const { code, stderr } = await kill(name);
      assertEquals(code, 2, name);
      assertMatch(stderr, /^davit: Cannot use signal|^davit: /);
    }
    assertEquals(captured.stdout, before);
    // What nobody can catch ends it.
    assertEquals((await kill("KILL")).code, 0);
    assertEquals((await process.wait()).exitStatus, 137);
    await process.delete();
    await removeContainer(client, containerId);
    assertEquals((await kill("TERM")).code, 4);
  },
  { series: ["2"] },
);

runTest("tasks kill tells a task to end as its image says, or by TERM", async ({ client, containerd }) => {
  const davitIn = (...argv: string[]) => davit(containerd, ["-n", client.name, ...argv]);
  const quit = await busyboxImage("example.com/quit:1", { StopSignal: "SIGQUIT" });
  await importWithCtr(containerd, client.name, ociArchive([quit]), { unpack: true });
  const script = "trap 'exit 3' QUIT; trap 'exit 4' TERM; echo ready; while :; do sleep 0.05; done";
  for (const [name, code] of [[quit.name, 3], ["busybox", 4]] as const) {
    const captured = new Captured();
    const image = await findImage(client, name);
    const process = await startBusybox(client, ["sh", "-c", script], { image, streams: captured.streams() });
    await captured.until("ready");
    assertEquals((await davitIn("tasks", "kill", process.containerId)).code, 0);
    assertEquals((await process.wait()).exitStatus, code);
    await process.delete();
    await removeContainer(client, process.containerId);
  }
});

runTest(
  "tasks kill, wait and rm take an empty exec id for a mistake, not for the task",
  async ({ client, containerd }) => {
    const { containerId } = await startBusybox(client, ["sleep", "600"], { output: "null" });
    const verbs = [["kill", "-s", "KILL"], ["rm"], ["wait", "--timeout", "5s"]];
    for (const [verb = "", ...flags] of verbs) {
      const argv = ["-n", client.name, "tasks", verb, ...flags, "--exec-id", "", containerId];
      const { code, stderr } = await davit(containerd, argv);
      assertEquals([code, verb], [verb === "wait" ? 125 : 2, verb], stderr);
      assertStringIncludes(stderr, "--exec-id");
      assertEquals((await client.tasks.get(containerId)).status, "running");
    }
    await removeContainer(client, containerId, { force: true });
  },
  { series: ["2"] },
);

runTest(
  "tasks pause and resume end with 5 where the state does not allow it",
  async ({ client, containerd }) => {
    const davitIn = (...argv: string[]) => davit(containerd, ["-n", client.name, ...argv]);
    const { containerId } = await startBusybox(client, ["sleep", "600"], { output: "null" });
    const { code, stderr } = await davitIn("tasks", "resume", containerId);
    assertEquals(code, 5);
    assertMatch(stderr, /^davit: Cannot resume task "\S+" in namespace "\S+": it is running\n$/);
    assertEquals((await davitIn("tasks", "pause", containerId)).code, 0);
    assertEquals((await davitIn("tasks", "pause", containerId)).code, 5);
    await removeContainer(client, containerId, { force: true });
  },
  { series: ["2"] },
);

runTest("tasks update changes limits, and in a dry run says so only", async ({ client, containerd }) => {
  const update = async (...argv: string[]) => {
    const flags = ["-n", client.name, "-o", "json", "tasks", "update"];
    const { code, stdout, stderr } = await davit(containerd, [...flags, ...argv]);
    return { code, rows: stdout === "" ? [] : JSON.parse(stdout), stderr };
  };
  const { containerId: id } = await startBusybox(client, ["sleep", "600"], {
    output: "null",
    memoryLimit: 64 * 1024 ** 2,
  });
  const limit = async () =>
    (await Array.fromAsync(client.tasks.metrics({ containerIds: [id] })))[0]!.memoryLimit;
  const row = { id, memoryLimitBefore: 64 * 1024 ** 2, memoryLimit: 96 * 1024 ** 2, cpus: 0.5 };
  const flags = ["--memory-limit", "96MiB", "--cpus", "0.5", id];
  assertEquals((await update("--dry-run", ...flags)).rows, [{ ...row, status: "would be updated" }]);
  assertEquals(await limit(), row.memoryLimitBefore);
  assertEquals((await update(...flags)).rows, [{ ...row, status: "updated" }]);
  assertEquals(await limit(), row.memoryLimit);
  assertEquals((await update("--memory-limit", "0", id)).code, 0);
  assertEquals(await limit(), undefined);
  assertEquals([(await update(id)).code, (await update("--cpus", "-1", id)).code], [2, 2]);
  assertEquals((await update("--cpus", "1", "none")).code, 4);
  await client.tasks.kill({ containerId: id, signal: 9 });
  await client.tasks.wait(id);
  assertEquals((await update("--cpus", "1", id, "--dry-run")).code, 5);
  await removeContainer(client, id);
}, { series: ["2"] });

async function untilStopped(
  id: string,
  { containerd, namespace }: { containerd: Containerd; namespace: string },
): Promise<void> {
  while (
    !(await containerd.ctr(["tasks", "ls"], { namespace })).stdout.match(RegExp(`^${id} .*STOPPED`, "m"))
  ) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function cells(table: string): string[][] {
  return table.trimEnd().split("\n").map((line) => line.split(/ {2,}/).filter(Boolean));
}
