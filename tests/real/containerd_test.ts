import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { connect } from "davit";
import { Containerd } from "./containerd.ts";
import { busyboxImage, checkWithCtr, importWithCtr, ociArchive, randomImage } from "./images.ts";
import { mountsUnder, processesOf } from "./leftovers.ts";
import { realTest, uniqueNamespace } from "./test.ts";

realTest("Containerd.start() gives a daemon of the release's version", async (_t, containerd) => {
  const { stdout } = await containerd.ctr(["version"]);
  const versions = [...stdout.matchAll(/Version: +(\d+\.\d+\.\d+)/g)].map(([, version]) => version);
  assertEquals(versions, [containerd.release.version, containerd.release.version]);
});

realTest("Containerd.start() shares content by default", async (_t, containerd) => {
  assertEquals(await sharingPolicy(containerd), "shared");
});

realTest("Containerd.start() with policy isolated isolates content", async (_t, containerd) => {
  assertEquals(await sharingPolicy(containerd), "isolated");
}, { policy: "isolated" });

realTest(
  "Containerd.start() with collecting on request leaves garbage until somebody waits",
  async (_t, containerd) => {
    await using client = await connect({ address: containerd.address });
    const { content, leases } = client.namespace(uniqueNamespace());
    await content.ingest({ ref: "lost" }, ReadableStream.from([new Uint8Array(100)]));
    // Deletions are what makes containerd, as it comes, collect within a second.
    await leases.create({ id: "gone" });
    await leases.delete("gone");
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    assertEquals((await Array.fromAsync(content.list())).length, 1);
    await leases.collectGarbage();
    assertEquals(await Array.fromAsync(content.list()), []);
  },
  { collecting: "on request" },
);

realTest("Containerd.start() shows the log of a daemon that does not start, and removes its folder", async (
  _t,
  { release },
) => {
  const bin = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${bin}/containerd`, "#!/bin/sh\necho no luck today\nexit 1\n", { mode: 0o755 });
    const root = `${bin}/root`;
    const failed = await assertRejects(
      () => Containerd.start({ ...release, bin }, { root }),
      Error,
      "it exited",
    );
    assertStringIncludes(failed.message, "no luck today");
    await assertRejects(() => Deno.stat(root), Deno.errors.NotFound);
  } finally {
    await Deno.remove(bin, { recursive: true });
  }
}, { series: ["2"] });

realTest("Containerd.start() refuses a root that is too long for a socket", async (_t, { release }) => {
  const root = `/tmp/${"x".repeat(90)}`;
  await assertRejects(() => Containerd.start(release, { root }), RangeError, "too long");
}, { series: ["2"] });

realTest(
  "Containerd.ctr() passes input, and throws ctr's words unless told not to",
  async (_t, containerd) => {
    const namespace = uniqueNamespace();
    const stdin = new TextEncoder().encode("hello");
    await containerd.ctr(["content", "ingest", "greeting"], { namespace, stdin });
    const [digest = ""] = (await containerd.ctr(["content", "ls", "-q"], { namespace })).stdout.split("\n");
    assertEquals((await containerd.ctr(["content", "get", digest], { namespace })).stdout, "hello");
    assertEquals(await Deno.readTextFile(`${containerd.contentDir}/${digest.replace(":", "/")}`), "hello");

    const missing = ["images", "export", "/dev/null", "example.com/missing:latest"];
    await assertRejects(() => containerd.ctr(missing, { namespace }), Error, "not found");
    const { code, stderr } = await containerd.ctr(missing, { namespace, check: false });
    assertEquals(code, 1);
    assertStringIncludes(stderr, "not found");
  },
);

realTest("Containerd.kill() and restart() keep images, root and address", async (_t, containerd) => {
  const image = await randomImage();
  const { pid, address } = containerd;
  await importWithCtr(containerd, "kept", ociArchive([image]));
  containerd.kill("SIGKILL");
  await containerd.exited();
  assertEquals(containerd.alive(), false);
  await containerd.restart();
  assertEquals(containerd.alive(), true);
  assertEquals(containerd.address, address);
  assert(containerd.pid !== pid);
  assertEquals([...(await checkWithCtr(containerd, "kept")).keys()], [image.name]);
}, { fresh: true });

realTest("Containerd.freeze() stops answers until thaw()", async (_t, containerd) => {
  const version = ["--connect-timeout", "300ms", "--timeout", "300ms", "version"];
  containerd.freeze();
  assert((await containerd.ctr(version, { check: false })).code !== 0);
  assertEquals(containerd.alive(), true);
  containerd.thaw();
  await containerd.ctr(["version"]);
});

realTest("Containerd leaves no process, mount or file when it is disposed", async (_t, { release }) => {
  for (const end of ["disposed", "killed", "frozen"]) {
    const containerd = await Containerd.start(release);
    const { root } = containerd;
    const before = await footprint(root);
    await startContainer(containerd);
    assert(before.processes > 0 && (await footprint(root)).processes > before.processes);
    assert((await footprint(root)).mounts > 0);
    const containers = await pidsOfContainers(containerd);
    assertEquals(containers.length, 1);

    if (end === "killed") containerd.kill("SIGKILL");
    if (end === "frozen") containerd.freeze();
    await containerd[Symbol.asyncDispose]();
    assertEquals(await footprint(root), { processes: 0, mounts: 0, entries: 0 });
    for (const pid of containers) assertEquals(await isRunning(pid), false);
  }
});

realTest("Containerd ends with a test process that is killed, and the next start clears up after it", async (
  _t,
  { release },
) => {
  const script = `
    import { Containerd } from "${import.meta.resolve("./containerd.ts")}";
    const containerd = await Containerd.start(${JSON.stringify(release)});
    console.log(JSON.stringify({ root: containerd.root, pid: containerd.pid }));
    await new Promise(() => setInterval(() => {}, 1000));`;
  const process = new Deno.Command(Deno.execPath(), {
    args: ["eval", script],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const { value = "" } = await process.stdout.pipeThrough(new TextDecoderStream()).values().next();
  const { root, pid } = JSON.parse(value);
  assertEquals(await isRunning(pid), true);
  process.kill("SIGKILL");
  await process.status;

  await until(async () => !await isRunning(pid));
  await using _next = await Containerd.start(release);
  assertEquals(await footprint(root), { processes: 0, mounts: 0, entries: 0 });
}, { series: ["2"] });

async function sharingPolicy(containerd: Containerd): Promise<string | undefined> {
  const { stdout } = await containerd.ctr(["plugins", "ls", "--detailed", "id==bolt"]);
  return /policy +(\w+)/.exec(stdout)?.[1];
}

async function startContainer(containerd: Containerd): Promise<void> {
  const image = await busyboxImage();
  const namespace = uniqueNamespace();
  await importWithCtr(containerd, namespace, ociArchive([image]), { unpack: true });
  await containerd.ctr(["run", "--detach", image.name, "sleeper", "sleep", "1000"], { namespace });
}

async function pidsOfContainers(containerd: Containerd): Promise<number[]> {
  const tasks = `${containerd.root}/state/io.containerd.runtime.v2.task`;
  const pids: number[] = [];
  for await (const namespace of Deno.readDir(tasks)) {
    for await (const { name } of Deno.readDir(`${tasks}/${namespace.name}`)) {
      pids.push(Number(await Deno.readTextFile(`${tasks}/${namespace.name}/${name}/init.pid`)));
    }
  }
  return pids;
}

async function footprint(root: string): Promise<{ processes: number; mounts: number; entries: number }> {
  return {
    processes: (await processesOf(root)).length,
    mounts: (await mountsUnder(root)).length,
    entries: (await Array.fromAsync(Deno.readDir(root)).catch(() => [])).length,
  };
}

/** A process that ended and that nobody has waited for does not run. */
async function isRunning(pid: number): Promise<boolean> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`).catch(() => "State:\tX");
  return !/^State:\t[XZ]/m.test(status);
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!await condition()) {
    if (Date.now() > deadline) throw new Error("Condition not met within 5 s");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
