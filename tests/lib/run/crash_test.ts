/** What processes and their output survive: the death of containerd, of davit, and of a shim. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { dirname } from "@std/path";
import { Client } from "../../../lib/client.ts";
import { ContainerdError, NotFoundError, UnavailableError } from "../../../lib/errors.ts";
import { execProcess } from "../../../lib/run/run.ts";
import { removeContainer } from "../../../lib/run/remove.ts";
import { attachTask } from "../../../lib/run/process.ts";
import { guarded } from "../../../lib/transport/guard.ts";
import { methodsByName } from "../../../lib/transport/methods.ts";
import { openSocket } from "../../../lib/transport/socket.ts";
import { spawnDavit } from "../../cli/spawn_davit.ts";
import { meddled } from "../../fault/meddler.ts";
import { busyboxName } from "../some_container.ts";
import { Captured, leftOf, parentOf, runTest, startBusybox } from "./setting.ts";

/** How much davit reads at once from a pipe. */
const bufferBytes = 64 * 1024;

/** Writes lines with numbers until it gets a line itself, and ends with code 9. */
const counting =
  "(i=0; while :; do i=$((i+1)); echo line $i; sleep 0.02; done) & read x; kill $!; wait $!; echo got $x; exit 9";

runTest("RunningProcess.wait() outlives containerd, and nothing of the output is lost", async (setting) => {
  const { client, containerd } = setting;
  const captured = new Captured();
  const input = new TransformStream<Uint8Array, Uint8Array>();
  const process = await startBusybox(client, ["sh", "-c", counting], {
    streams: captured.streams(input.readable),
  });
  await captured.until("line 5\n");
  containerd.kill("SIGKILL");
  await containerd.exited();
  await captured.until("line 50\n");
  await containerd.restart();
  const writer = input.writable.getWriter();
  await writer.write(new TextEncoder().encode("the end\n"));
  await writer.close();
  assertEquals((await process.wait()).exitStatus, 9);
  await process.delete();
  const lines = captured.stdout.split("\n");
  const written = lines.slice(0, -2);
  assertEquals(written, Array.from(written, (_, at) => `line ${at + 1}`));
  assertEquals(lines.slice(-2), ["got the end", ""]);
  await removeContainer(client, process.containerId);
  assertEquals(await leftOf(setting), []);
}, { fresh: true });

runTest(
  "RunningProcess.wait() has all output of what ended while containerd was away, which may forget how",
  async (setting) => {
    const { client, containerd } = setting;
    const captured = new Captured();
    const script = "echo begin; read x; head -c 300000 /dev/zero | tr '\\0' x; exit 9";
    const input = new TransformStream<Uint8Array, Uint8Array>();
    const process = await startBusybox(client, ["sh", "-c", script], {
      streams: captured.streams(input.readable),
    });
    await captured.until("begin");
    containerd.kill("SIGKILL");
    await containerd.exited();
    const writer = input.writable.getWriter();
    await writer.write(new TextEncoder().encode("go\n"));
    while (await isRunning(process.pid)) await pause();
    await containerd.restart();
    if (containerd.release.series === "1.6") assertEquals((await process.wait()).exitStatus, 9);
    else {
      const { message } = await assertRejects(() => process.wait(), NotFoundError);
      assertStringIncludes(message, "it ended while containerd was away, which has forgotten how");
    }
    await process.delete();
    await writer.close().catch(() => {}); // nobody reads it any more
    assertEquals(captured.stdout.length, "begin\n".length + 300_000);
    await removeContainer(client, process.containerId);
    assertEquals(await leftOf(setting), []);
  },
  { fresh: true },
);

runTest("attachTask() goes on where a davit was killed, but for what that one had read", async (setting) => {
  const { client, containerd } = setting;
  const script = "seq 1 500000; read line; echo got $line; exit 5";
  const argv = ["-n", client.name, "run", busyboxName, "c", "sh", "-c", script];
  const davit = spawnDavit(containerd, argv, { stdin: "piped" });
  const reader = davit.stdout.getReader();
  const before: Uint8Array[] = [];
  // Then nobody reads, so that davit is killed in the midst of it.
  while (sizeOf(before) < 10 * bufferBytes) before.push((await reader.read()).value!);
  davit.kill("SIGKILL");
  for (let part; !(part = await reader.read()).done;) before.push(part.value);
  await Promise.all([davit.status, davit.stdin.close().catch(() => {}), davit.stderr.cancel()]);

  const after = new Captured();
  const stdin = ReadableStream.from([new TextEncoder().encode("hello\n")]);
  const process = await attachTask(client, "c", { streams: after.streams(stdin) });
  assertEquals((await process.wait()).exitStatus, 5);
  await process.delete();
  const whole = Array.from({ length: 500_000 }, (_, n) => `${n + 1}\n`).join("") + "got hello\n";
  const start = await new Blob(before as Uint8Array<ArrayBuffer>[]).text();
  assert(whole.startsWith(start), "the output before is not its beginning");
  assert(whole.endsWith(after.stdout), "the output after is not its end");
  const lost = whole.length - start.length - after.stdout.length;
  assert(lost >= 0 && lost <= bufferBytes, `${lost} bytes are lost`);
  await removeContainer(client, "c");
  assertEquals(await leftOf(setting), []);
});

runTest("RunningProcess.wait() has all output of a process whose shim died, and says so", async (setting) => {
  const { client } = setting;
  const captured = new Captured();
  const script = "head -c 300000 /dev/zero | tr '\\0' x; echo; echo end; exec sleep 600";
  const process = await startBusybox(client, ["sh", "-c", script], { streams: captured.streams() });
  const { containerId, io } = process;
  const other = await execProcess(client, { containerId, command: ["sleep", "600"], streams: {} });
  await captured.until("end\n");
  Deno.kill(await parentOf(process.pid), "SIGKILL");
  for (const one of [process, other]) {
    const { message } = await assertRejects(() => one.wait(), ContainerdError);
    assertStringIncludes(message, "its shim died, and nobody knows how it ended");
  }
  assertEquals(captured.stdout.length, 300_005);
  await process.delete();
  await other.discard();
  await removeContainer(client, containerId);
  for (const { stdout } of [io, other.io]) assertEquals(await exists(dirname(stdout)), false);
  assertEquals(await leftOf(setting), []);
});

/** When containerd is killed, beside a call: just before it, while it is under way, or before its answer comes. */
const killings = [
  ["Snapshots/Prepare", "during"],
  ["Containers/Create", "before"],
  ["Containers/Create", "after"],
  ["Tasks/Create", "during"],
  ["Tasks/Start", "during"],
] as const;

runTest(
  "startContainer() clears up once containerd is back that was killed in the midst of it",
  async (setting) => {
    const { client, containerd } = setting;
    for (const [method, moment] of killings) {
      const sent: string[] = [];
      let returned: Promise<void> | undefined;
      const kill = () => {
        containerd.kill("SIGKILL");
        returned = containerd.exited().then(() => containerd.restart());
      };
      const transport = meddled(await openSocket({ path: containerd.address }), async (call) => {
        // A lease is looked for before it is deleted once more.
        if (methodsByName.get(call.method)!.writes !== undefined && !call.method.endsWith("Leases/Delete")) {
          sent.push(call.method);
        }
        if (!call.method.endsWith(method) || returned) return;
        if (moment === "after") return kill;
        if (moment === "during") setTimeout(kill, method === "Tasks/Create" ? 30 : 0);
        else await (kill(), containerd.exited());
      });
      await using connection = new Client(guarded(transport));
      const streams = new Captured().streams();
      const started = startBusybox(connection.namespace(client.name), ["sleep", "600"], { streams });
      const process = await started.catch(() => undefined); // it may have been quicker than the killing
      await returned;
      await process?.discard();
      if (process) await removeContainer(client, process.containerId);
      // A shim of which containerd had not yet noted where it listens is out of reach for everybody.
      const isOurs = (left: string) => method !== "Tasks/Create" || !left.startsWith("shim ");
      assertEquals((await leftOf(setting)).filter(isOurs), [], `killed ${moment} ${method}`);
      assertEquals(sent, [...new Set(sent)], `killed ${moment} ${method}`);
    }
  },
  { fresh: true, series: ["1.6", "2"] },
);

runTest(
  "startContainer() does not wait for ever for a containerd that is gone",
  async ({ client, containerd }) => {
    const transport = meddled(await openSocket({ path: containerd.address }), async ({ method }) => {
      if (!method.endsWith("Containers/Create")) return;
      containerd.kill("SIGKILL");
      await containerd.exited();
    });
    await using connection = new Client(guarded(transport));
    const began = Date.now();
    await assertRejects(() => startBusybox(connection.namespace(client.name), ["true"]), UnavailableError);
    assert(Date.now() - began < 20_000, `it took ${Date.now() - began} ms`);
    await containerd.restart();
  },
  { fresh: true, series: ["2"] },
);

function sizeOf(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((sum, { length }) => sum + length, 0);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

/** Whether a process is there and no zombie. */
async function isRunning(pid: number): Promise<boolean> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`).catch(() => "");
  return status !== "" && !/^State:\s+Z/m.test(status);
}

async function pause(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 20));
}
