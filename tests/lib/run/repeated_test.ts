/** Many runs, one after the other and side by side: each ends as it should, and nothing of any is left. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { assert, assertEquals } from "@std/assert";
import { dirname } from "@std/path";
import type { RunningProcess } from "../../../lib/run/process.ts";
import { removeContainer } from "../../../lib/run/remove.ts";
import { spawnDavit } from "../../cli/spawn_davit.ts";
import { busyboxName } from "../some_container.ts";
import { Captured, leftOf, type RunSetting, runTest, startBusybox } from "./setting.ts";

const mib = 1024 ** 2;

for (const { codes, full } of [{ codes: every(51), full: false }, { codes: every(1), full: true }]) {
  const what = full ? "files, memory and all else" : "files and all else";
  runTest(
    `startContainer() gives ${codes.length} exit codes in a row, and ${what} stay as they were`,
    async (setting) => {
      // What is made once and kept is there after some runs.
      for (const code of codes.slice(0, 4)) assertEquals(await exitOf(setting, code), code);
      const before = await held();
      const half = codes.length / 2; // by then all is compiled
      for (const code of codes.slice(0, half)) assertEquals(await exitOf(setting, code), code);
      const halfway = memoryInUse();
      for (const code of codes.slice(half)) assertEquals(await exitOf(setting, code), code);
      assertEquals(await held(), before);
      const grown = memoryInUse() - halfway;
      if (full) assert(grown < mib, `${grown / mib} MiB more`);
      assertEquals(await leftOf(setting), []);
    },
    { full },
  );
}

runTest("startContainer() runs 20 containers side by side, and leaves nothing of any", async (setting) => {
  await exitOf(setting, 0);
  const before = await held();
  const codes = Array.from({ length: 20 }, (_, n) => n);
  assertEquals(await Promise.all(codes.map((code) => exitOf(setting, code))), codes);
  assertEquals(await held(), before);
  assertEquals(await leftOf(setting), []);
});

for (const { count, full } of [{ count: 4, full: false }, { count: 20, full: true }]) {
  runTest(`run is called ${count} times at once, and leaves nothing of any`, async (setting) => {
    const { client, containerd } = setting;
    const before = await ownFolders();
    const ends = await Promise.all(Array.from({ length: count }, async (_, n) => {
      const argv = ["-n", client.name, "run", "--rm", busyboxName, "--", "sh", "-c", `echo ${n}; exit ${n}`];
      const { code, stdout, stderr } = await spawnDavit(containerd, argv).output();
      const decoder = new TextDecoder();
      return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
    }));
    assertEquals(ends, Array.from({ length: count }, (_, n) => ({ code: n, stdout: `${n}\n`, stderr: "" })));
    assertEquals(await leftOf(setting), []);
    await assertNoFolderLeft(before);
  }, { full });
}

runTest(
  "run is called 200 times in a row and 20 times at once, and all is as it was before",
  async (setting) => {
    const { client, containerd } = setting;
    const runOnce = async (n: number) => {
      const argv = ["-n", client.name, "run", "--rm", busyboxName, "--", "sh", "-c", `echo ${n}; exit ${n}`];
      const { code, stdout } = await spawnDavit(containerd, argv).output();
      assertEquals([code, new TextDecoder().decode(stdout)], [n, `${n}\n`]);
    };
    await runOnce(0);
    const [before, folders] = [await stateOf(setting), await ownFolders()];
    for (let n = 0; n < 200; n++) await runOnce(n);
    await Promise.all(Array.from({ length: 20 }, (_, n) => runOnce(n)));
    assertEquals(await leftOf(setting), []); // which waits for shims to end
    assertEquals(await stateOf(setting), before);
    await assertNoFolderLeft(folders);
  },
  { full: true, fresh: true },
);

/** Everything of which a run could leave some: processes and mounts of this daemon, and what that keeps. */
async function stateOf({ client, containerd: { root } }: RunSetting): Promise<Record<string, string[]>> {
  // The folders of snapshots go with a collection of garbage.
  await client.leases.create({ id: "collected" });
  await client.leases.delete("collected", { sync: true });
  const commands: string[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    const line = /^\d+$/.test(name) ? await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => "") : "";
    if (line.includes(root)) commands.push(line.replaceAll("\0", " "));
  }
  const mounts = (await Deno.readTextFile("/proc/self/mountinfo")).split("\n");
  const folders = (path: string) =>
    Array.fromAsync(Deno.readDir(path), ({ name }) => name).then((names) => names.sort(), () => []);
  return {
    commands: commands.sort(),
    mounts: mounts.filter((line) => line.includes(root)),
    snapshots: (await Array.fromAsync(client.snapshots("overlayfs").list(), ({ key }) => key)).sort(),
    folders: await folders(`${root}/root/io.containerd.snapshotter.v1.overlayfs/snapshots`),
    bundles: await folders(`${root}/state/io.containerd.runtime.v2.task/${client.name}`),
    work: await folders(`${root}/root/io.containerd.runtime.v2.task/${client.name}`),
    cgroups: await folders(`/sys/fs/cgroup/memory/${client.name}`),
    leases: (await Array.fromAsync(client.leases.list(), ({ id }) => id)).sort(),
  };
}

/** Exit codes, every so manyth. */
function every(step: number): number[] {
  return Array.from({ length: Math.floor(255 / step) + 1 }, (_, n) => n * step);
}

/** Runs a container and removes it; its output has to be right, too, and its pipes have to be gone. */
async function exitOf({ client }: RunSetting, code: number): Promise<number> {
  const captured = new Captured();
  const script = `echo out ${code}; echo err ${code} >&2; exit ${code}`;
  const process: RunningProcess = await startBusybox(client, ["sh", "-c", script], {
    streams: captured.streams(),
  });
  const { exitStatus } = await process.wait();
  await process.delete();
  await removeContainer(client, process.containerId);
  assertEquals([captured.stdout, captured.stderr], [`out ${code}\n`, `err ${code}\n`]);
  assertEquals(await Deno.lstat(dirname(process.io.stdout)).catch(() => "gone"), "gone");
  return exitStatus;
}

/** What this process has open, and its children. */
async function held(): Promise<{ files: number; children: string[] }> {
  const { length: files } = await Array.fromAsync(Deno.readDir("/proc/self/fd"));
  const children: string[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    const stat = /^\d+$/.test(name) ? await Deno.readTextFile(`/proc/${name}/stat`).catch(() => "") : "";
    if (stat.slice(stat.lastIndexOf(")")).split(" ")[2] === String(Deno.pid)) children.push(name);
  }
  return { files, children };
}

/** Bytes, without garbage. */
function memoryInUse(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc()");
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

/** Others may be making and removing such folders at this moment, too. */
async function assertNoFolderLeft(before: ReadonlySet<string>): Promise<void> {
  const deadline = Date.now() + 20_000;
  let left = (await ownFolders()).difference(before);
  while (left.size > 0 && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    left = left.intersection(await ownFolders());
  }
  assertEquals([...left], []);
}

/** The folders that davit makes for pipes and for looks into images. */
async function ownFolders(): Promise<Set<string>> {
  const found = new Set<string>();
  for (const parent of ["/run/davit", "/tmp"]) {
    for await (const { name } of Deno.readDir(parent)) {
      if (/^davit-(io|view)-/.test(name)) found.add(`${parent}/${name}`);
    }
  }
  return found;
}
