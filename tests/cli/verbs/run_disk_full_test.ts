/** What run does on a disk that is full: it says so, and leaves nothing. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { connect } from "../../../mod.ts";
import { leftOf, runTest } from "../../lib/run/setting.ts";
import { busyboxName } from "../../lib/some_container.ts";
import { Containerd } from "../../real/containerd.ts";
import { Disk } from "../../real/disk.ts";
import { busyboxImage, importWithCtr, ociArchive } from "../../real/images.ts";
import { realTest } from "../../real/test.ts";
import { davit } from "./davit.ts";

realTest(
  "run leaves nothing when containerd's disk is full, wherever that stops it",
  async (_t, { release }) => {
    await using disk = await Disk.make("48m");
    await using containerd = await Containerd.start(release, { root: `${disk.path}/c` });
    await importWithCtr(containerd, "default", ociArchive([await busyboxImage()]), { unpack: true });
    await using connection = await connect({ address: containerd.address });
    const run = () => davit(containerd, ["run", "--rm", busyboxName, "x", "echo", "here"]);
    const failures: string[] = [];
    for (const spareBytes of [0, 4096, 8192, 12_288, 16_384]) {
      await fill(disk, spareBytes);
      const { code, stdout, stderr } = await run();
      await Deno.remove(join(disk.path, "fill"));
      if (code !== 0) failures.push(stderr);
      if (code === 0) assertEquals(stdout, "here\n");
      else assertEquals([code, stdout, stderr.trimEnd().split("\n").length], [125, "", 1], stderr);
      assertEquals(await leftOf({ containerd, client: connection.namespace("default") }), []);
    }
    // The snapshot, the bundle, the shim and the runtime come one after the other.
    assert(failures.length >= 3, failures.join(""));
    assertMatch(failures[0]!, /^davit: Cannot prepare snapshot "x" .*: no space left on device$/m);
    assertMatch(failures[1]!, /^davit: Cannot .* "x" .*: no space left on device/m);
    assertEquals(await run(), { code: 0, stdout: "here\n", stderr: "" });
  },
  { series: ["1.7", "2"] },
);

runTest("run and tasks exec end what they cannot write the pid file of", async (setting) => {
  const { client, containerd } = setting;
  await using disk = await Disk.make("1m");
  await fill(disk, 0);
  const pidFile = join(disk.path, "pid");
  const run = (...argv: string[]) => davit(containerd, ["-n", client.name, ...argv]);
  for (const flags of [["--rm"], ["--detach"], []]) {
    const words = ["run", ...flags, "--pid-file", pidFile, "busybox", "x", "sleep", "600"];
    assertEquals(await run(...words), {
      code: 125,
      stdout: "",
      stderr: `davit: Cannot write to "${pidFile}": no space left on device\n`,
    });
    assertEquals(await leftOf(setting), []);
  }
  await run("run", "-d", "--null-io", "busybox", "c", "sleep", "600");
  const exec = await run("tasks", "exec", "--pid-file", pidFile, "c", "sleep", "600");
  assertEquals(exec.code, 125);
  assertStringIncludes(exec.stderr, "no space left on device");
  assertEquals((await run("tasks", "ps", "--no-headers", "c")).stdout.trimEnd().split("\n").length, 1);
  await run("tasks", "rm", "-f", "c");
  assertEquals((await run("tasks", "start", "-d", "--pid-file", pidFile, "c")).code, 125);
  assertEquals((await run("tasks", "ls", "-q")).stdout, "");
  await run("c", "rm", "c");
  assertEquals(await Array.fromAsync(Deno.readDir(disk.path), ({ name }) => name), ["fill"]);
  assertEquals(await leftOf(setting), []);
}, { series: ["2"] });

runTest("run ends as the process does whose log does not fit on the disk", async (setting) => {
  const { client, containerd } = setting;
  await using disk = await Disk.make("1m");
  await fill(disk, 0);
  const log = join(disk.path, "log");
  const words = ["--log-uri", `file://${log}`, "busybox", "x", "sh", "-c", "echo lost; exit 3"];
  const { code, stderr } = await davit(containerd, ["-n", client.name, "run", "--rm", ...words]);
  assertEquals([code, stderr], [3, ""]);
  assertEquals((await Deno.stat(log)).size, 0);
  assertEquals(await leftOf(setting), []);
}, { series: ["2"] });

/** Leaves no more room on a disk than a number of bytes. */
async function fill(disk: Disk, spareBytes: number): Promise<void> {
  using file = await Deno.create(join(disk.path, "fill"));
  const block = new Uint8Array(4096);
  for (let rest = await disk.free() - spareBytes; rest >= block.length; rest -= block.length) {
    await file.write(block);
  }
}
