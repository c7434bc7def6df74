import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { Client } from "../../../lib/client.ts";
import {
  AlreadyExistsError,
  ContainerdError,
  containerdError,
  FailedPreconditionError,
  NotFoundError,
} from "../../../lib/errors.ts";
import { findImage } from "../../../lib/image/tag.ts";
import { NoSuchPlatformError } from "../../../lib/image/rootfs.ts";
import { commandFailure } from "../../../lib/run/command_failure.ts";
import { createContainer } from "../../../lib/run/container.ts";
import { attachTask, type RunningProcess } from "../../../lib/run/process.ts";
import { removeContainer, removeTask } from "../../../lib/run/remove.ts";
import { execProcess, runContainer, startTask } from "../../../lib/run/run.ts";
import { guarded } from "../../../lib/transport/guard.ts";
import { openSocket } from "../../../lib/transport/socket.ts";
import { meddled } from "../../fault/meddler.ts";
import { randomImage } from "../../real/images.ts";
import { ociArchive } from "../../real/images.ts";
import { importImages } from "../../../lib/image/import.ts";
import { busyboxName } from "../some_container.ts";
import { Captured, leftOf, runBusybox, runTest, startBusybox } from "./setting.ts";

const SIGKILL = 9;

runTest("startContainer() gives the exit code, and both outputs apart", async (setting) => {
  const { client } = setting;
  for (const code of [0, 1, 42, 255]) {
    const script = `echo out; echo err >&2; exit ${code}`;
    const { exitStatus, stdout, stderr } = await runBusybox(client, ["sh", "-c", script]);
    assertEquals({ exitStatus, stdout, stderr }, { exitStatus: code, stdout: "out\n", stderr: "err\n" });
  }
  assertEquals(await leftOf(setting), []);
});

runTest("startContainer() carries stdin to its end, and output byte for byte", async (setting) => {
  const { client } = setting;
  const size = 10 * 1024 ** 2;
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i += 65_536) crypto.getRandomValues(bytes.subarray(i, i + 65_536));
  const back: Uint8Array[] = [];
  let errors = 0;
  const process = await startBusybox(client, ["sh", "-c", "tee /dev/stderr"], {
    streams: {
      stdin: ReadableStream.from([bytes.subarray(0, 3_000_001), bytes.subarray(3_000_001)]),
      stdout: (chunk) => Promise.resolve(void back.push(chunk)),
      stderr: (chunk) => Promise.resolve(void (errors += chunk.length)),
    },
  });
  assertEquals((await process.wait()).exitStatus, 0);
  await process.delete();
  await removeContainer(client, process.containerId);
  const all = new Uint8Array(await new Blob(back as Uint8Array<ArrayBuffer>[]).arrayBuffer());
  assertEquals([all.length, errors], [size, size]);
  assert(all.every((byte, at) => byte === bytes[at]));
  assertEquals(await leftOf(setting), []);
});

runTest("startContainer() leaves nothing behind when it fails", async (setting) => {
  const { client } = setting;
  const image = await findImage(client, busyboxName);
  const failures: [Parameters<typeof runContainer>[1], string | undefined][] = [
    [{ id: "x", image, command: ["nope"] }, "not found"],
    [{ id: "x", image, command: ["/tmp/nope"] }, "not found"],
    [{ id: "x", image, command: ["/etc/passwd"] }, "not executable"],
    [{ id: "x", image, command: ["/tmp"] }, "not executable"],
    [{
      id: "x",
      image,
      command: ["sh"],
      mounts: [{ destination: "/x", type: "bind", source: "/nope", options: ["rbind"] }],
    }, undefined],
    [{ id: "x", image, command: ["sh"], runtime: "io.containerd.none.v1" }, undefined],
  ];
  for (const [options, failure] of failures) {
    const error = await assertRejects(() => runContainer(client, options), ContainerdError);
    assertEquals(commandFailure(error), failure, error.message);
  }
  await assertRejects(() => runContainer(client, { id: "x", image, user: "nobody" }), SyntaxError, "no user");
  await assertRejects(() => runContainer(client, { id: "-x", image }), SyntaxError, "as a container id");
  await assertRejects(
    () => runContainer(client, { id: "x", image, devices: ["/dev/none"] }),
    Deno.errors.NotFound,
  );
  await assertRejects(
    () => runContainer(client, { id: "x", image, platform: "linux/s390x" }),
    NoSuchPlatformError,
  );
  await assertRejects(() => runContainer(client, { id: "x", image, snapshotter: "none" }), ContainerdError);
  assertEquals(await leftOf(setting), []);
});

runTest("startContainer() unpacks an image that is not", async (setting) => {
  const { client } = setting;
  const random = await randomImage({ name: "example.com/random:1", layers: 1 });
  await importImages(client, ociArchive([random]));
  const image = await client.images.get("example.com/random:1");
  const error = await assertRejects(() => runContainer(client, { id: "x", image, command: ["/none"] }));
  assertEquals(commandFailure(error), "not found");
  assertEquals(await leftOf(setting), []);
}, { series: ["2"] });

runTest(
  "createContainer() refuses an id that is taken, and leaves the container as it is",
  async (setting) => {
    const { client } = setting;
    const image = await findImage(client, busyboxName);
    await createContainer(client, { id: "c", image, labels: { a: "1" } });
    const { message } = await assertRejects(
      () => createContainer(client, { id: "c", image }),
      AlreadyExistsError,
    );
    assertEquals(message, `Cannot create container "c" in namespace "${client.name}": already exists`);
    assertEquals((await client.containers.get("c")).labels.a, "1");
    await client.snapshots("overlayfs").stat("c");
    await client.containers.delete("c");
    await assertRejects(
      () => createContainer(client, { id: "c", image }),
      AlreadyExistsError,
      "of no container",
    );
    await client.snapshots("overlayfs").remove("c");
    assertEquals(await leftOf(setting), []);
  },
  { series: ["2"] },
);

runTest("runContainer() ends and removes what it runs when its signal aborts", async (setting) => {
  const { client } = setting;
  const image = await findImage(client, busyboxName);
  const controller = new AbortController();
  const captured = new Captured();
  const running = runContainer(client, {
    id: "c",
    image,
    command: ["sh", "-c", "echo ready; sleep 600"],
    streams: captured.streams(),
    signal: controller.signal,
  });
  await captured.until("ready");
  controller.abort(new Error("enough"));
  await assertRejects(() => running, Error, "enough");
  assertEquals(await leftOf(setting), []);
}, { series: ["2"] });

runTest(
  "RunningProcess.wait() rejects as soon as a stream does, and discard() ends the process",
  async (setting) => {
    const { client } = setting;
    const stdout = () => Promise.reject(new Error("nobody reads"));
    const process = await startBusybox(client, ["yes"], { streams: { stdout } });
    await assertRejects(() => process.wait(), Error, "nobody reads");
    const began = Date.now();
    await process.discard();
    assert(Date.now() - began < 9_000, "the shim was stuck with output that nobody read");
    await removeContainer(client, process.containerId);
    assertEquals(await leftOf(setting), []);
  },
  { series: ["2"] },
);

runTest("execProcess() runs in the container, many at a time, with what the options say", async (setting) => {
  const { client } = setting;
  const main = await startBusybox(client, ["sleep", "600"], { env: ["A=1", "B=2"] });
  const { containerId } = main;
  const exec = async (command: string[], options = {}) => {
    const captured = new Captured();
    const process = await execProcess(client, {
      containerId,
      command,
      streams: captured.streams(),
      ...options,
    });
    const { exitStatus } = await process.wait();
    await process.delete();
    return { exitStatus, stdout: captured.stdout };
  };
  const many = Array.from({ length: 20 }, (_, n) => exec(["sh", "-c", `echo ${n}; exit ${n}`]));
  assertEquals(
    await Promise.all(many),
    Array.from({ length: 20 }, (_, n) => ({ exitStatus: n, stdout: `${n}\n` })),
  );
  const look = await exec(["sh", "-c", "pwd; id -u; echo $A$B$C"], {
    cwd: "/tmp",
    user: "7:8",
    env: ["A", "C=3"],
  });
  assertEquals(look.stdout, "/tmp\n7\n23\n");
  const error = await assertRejects(() => exec(["nope"], { execId: "e" }));
  assertEquals(commandFailure(error), "not found");
  assertEquals((await exec(["true"], { execId: "e" })).exitStatus, 0, "the exec id can be used again");
  // What stays in the background has the pipe, and is not waited for.
  assertEquals(await exec(["sh", "-c", "sleep 600 & echo gone"]), { exitStatus: 0, stdout: "gone\n" });
  await removeContainer(client, containerId, { force: true });
  assertEquals(await leftOf(setting), []);
});

runTest("attachTask() gets what was written while nobody read, and gives input", async (setting) => {
  const { client } = setting;
  const script = "head -c 200000 /dev/zero | tr '\\0' x; read line; echo; echo got $line; exit 5";
  const detached = await startBusybox(client, ["sh", "-c", script]);
  const { containerId } = detached;
  const captured = new Captured();
  const stdin = ReadableStream.from([new TextEncoder().encode("hello\n")]);
  const process = await attachTask(client, containerId, { streams: captured.streams(stdin) });
  assertEquals((await process.wait()).exitStatus, 5);
  await process.delete();
  assertEquals(captured.stdout, `${"x".repeat(200_000)}\ngot hello\n`);
  await removeContainer(client, containerId);

  const mute = await startBusybox(client, ["sleep", "600"], { output: "null" });
  await assertRejects(
    () => attachTask(client, mute.containerId, { streams: {} }),
    FailedPreconditionError,
    "its output goes nowhere",
  );
  await removeContainer(client, mute.containerId, { force: true });
  assertEquals(await leftOf(setting), []);
});

runTest(
  "removeContainer() and removeTask() leave what runs alone, unless they are forced",
  async (setting) => {
    const { client } = setting;
    const { containerId, pid } = await startBusybox(client, ["sleep", "600"]);
    const { message } = await assertRejects(
      () => removeContainer(client, containerId),
      FailedPreconditionError,
    );
    assert(message.endsWith(`its task is running, as process ${pid}`), message);
    await assertRejects(() => removeTask(client, containerId), FailedPreconditionError, "it is running");
    await client.tasks.pause(containerId);
    await assertRejects(
      () => removeContainer(client, containerId),
      FailedPreconditionError,
      "its task is paused",
    );
    await removeTask(client, containerId, { force: true });
    await assertRejects(() => removeTask(client, containerId), NotFoundError);
    // The container is still there, and starts again.
    const captured = new Captured();
    const again = await startTask(client, containerId, { streams: captured.streams() });
    await again.kill(SIGKILL);
    assertEquals((await again.wait()).exitStatus, 137);
    await again.delete();
    await removeContainer(client, containerId);
    await assertRejects(() => removeContainer(client, containerId), NotFoundError);
    assertEquals(await leftOf(setting), []);
  },
);

runTest("startTask() leaves alone what somebody else began to start a moment before", async (setting) => {
  const { client, containerd: { address, root } } = setting;
  const image = await findImage(client, busyboxName);
  await createContainer(client, { id: "c", image, command: ["sleep", "600"] });
  const bundle = join(root, "state/io.containerd.runtime.v2.task", client.name, "c");
  const isThere = () => Deno.stat(bundle).then(() => true, () => false);
  let first: Promise<RunningProcess> | undefined;
  const transport = meddled(guarded(await openSocket({ path: address })), async ({ method }) => {
    if (method.endsWith("Tasks/Create")) {
      first = startTask(client, "c", { output: "null" });
      while (!await isThere()) { /* again */ }
    } else if (/Tasks\/(Kill|Delete)$/.test(method)) {
      await first;
    }
  });
  await using late = new Client(transport);
  await assertRejects(
    () => startTask(late.namespace(client.name), "c", { output: "null" }),
    AlreadyExistsError,
    "already exists",
  );
  using process = await first!;
  assertEquals((await client.tasks.get("c")).status, "running");
  await process.discard();
  await removeContainer(client, "c");
  assertEquals(await leftOf(setting), []);
});

for (const call of ["Kill", "Wait"]) {
  runTest(
    `removeContainer() goes on when somebody else deletes the task before its ${call} is answered`,
    async (setting) => {
      const { client, containerd: { address } } = setting;
      using process = await startBusybox(client, ["sleep", "600"], {});
      const { containerId } = process;
      const transport = meddled(guarded(await openSocket({ path: address })), ({ method }) => {
        if (!method.endsWith(`Tasks/${call}`)) return;
        return async () => {
          await process.discard();
          // What containerd then says, if the shim ends before it has answered.
          throw containerdError({
            code: "unknown",
            reason: "ttrpc: closed",
            outcome: "unknown",
            action: "wait for",
            resource: "task",
          });
        };
      });
      await using other = new Client(transport);
      await removeContainer(other.namespace(client.name), containerId, { force: true });
      assertEquals(await leftOf(setting), []);
    },
  );
}

runTest("RunningProcess copes with somebody who removes the task meanwhile", async (setting) => {
  const { client, containerd } = setting;
  const process = await startBusybox(client, ["sleep", "600"], { streams: {} });
  const { containerId } = process;
  const [end] = await Promise.allSettled([
    process.wait(),
    containerd.ctr(["tasks", "delete", "--force", containerId], { namespace: client.name, check: false }),
  ]);
  if (end.status === "fulfilled") assertEquals(end.value.exitStatus, 137);
  else assert(end.reason instanceof NotFoundError, String(end.reason));
  await process.delete();
  await removeContainer(client, containerId);
  assertEquals(await leftOf(setting), []);
}, { series: ["2"] });
