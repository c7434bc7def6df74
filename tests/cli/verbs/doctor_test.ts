import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { dirname, fromFileUrl } from "@std/path";
import { type Client, connect, diagnose, type Finding, type NamespacedClient } from "davit";
import { isAlive, thisOwner } from "../../../cli/owner.ts";
import type { Containerd } from "../../real/containerd.ts";
import { busyboxImage, importWithCtr, ociArchive, randomImage } from "../../real/images.ts";
import { run } from "../../real/process.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { StockedRegistry } from "../../real/stocked_registry.ts";
import { shimsOf, startSandbox } from "../../lib/some_sandbox.ts";
import { davit } from "./davit.ts";

interface Row {
  check: string;
  severity: string;
  namespace?: string;
  what: string;
  why: string;
  command: string;
  status: string;
}

/** What this machine has whatever the tests do: Debian's releases are older than some fixes, and others run davit, too. */
const always: ReadonlySet<string> = new Set(["known-hole", "leftover-pipes"]);

async function doctor(containerd: Containerd, ...argv: string[]): Promise<{ code: number; rows: Row[] }> {
  const { code, stdout, stderr } = await davit(containerd, ["doctor", "-o", "json", ...argv]);
  assert(code === 0 || code === 3, stderr);
  return { code, rows: (JSON.parse(stdout) as Row[]).filter(({ check }) => !always.has(check)) };
}

realTest("doctor finds what is broken, and its commands mend it", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const namespace = uniqueNamespace();
  const inside = client.namespace(namespace);
  await breakAll(containerd, inside);

  const { code, rows } = await doctor(containerd, "-n", namespace);
  assertEquals(code, 3);
  assertEquals(rows.map(({ severity, check, what }) => [severity, check, what]).sort(), [
    ["error", "broken-image", 'image "example.com/random/1:latest"'],
    ["error", "container-without-snapshot", 'container "bare"'],
    ["error", "snapshotter-not-loaded", 'container "elsewhere"'],
    ["error", "task-without-container", 'task "orphan"'],
    ["note", "blob-without-root", "1 blob of 4 bytes"],
    ["note", "expired-lease", 'lease "over"'],
    ["note", "orphaned-snapshot", "1 snapshot"],
    ["warning", "container-without-image", 'container "elsewhere"'],
  ]);
  for (const { why, status } of rows) assert(why.length > 20 && status === "found");
  for (const { check, command } of rows) {
    if (check === "snapshotter-not-loaded" || check === "broken-image") continue; // containerd's own, and a registry's
    if (check === "container-without-image") continue;
    await runCommand(containerd, command);
  }
  assertEquals((await doctor(containerd, "-n", namespace)).rows.map(({ check }) => check).sort(), [
    "broken-image",
    "container-without-image",
    "snapshotter-not-loaded",
  ]);
  assertEquals((await Array.fromAsync(inside.tasks.list())).map(({ id }) => id), []);
}, { fresh: true, collecting: "on request" });

realTest("doctor --fix mends what is safe, and leaves the rest to be decided", async (_t, containerd) => {
  const dead = { ...await thisOwner(), startedAt: "1" };
  await using client = await connect({ address: containerd.address, owner: () => Promise.resolve(dead) });
  const { leases, content, name } = client.namespace(uniqueNamespace());
  const lease = await leases.acquire({ prefix: "davit-dead" });
  await leases.create({ id: "foreign" });
  await leases.create({ id: "over", expiresInMs: -60_000 });
  await using _own = await resting(client.namespace(name), `davit-sha256:${"1".repeat(64)}`);
  await using _other = await resting(client.namespace(name), "of-somebody");
  const argv = ["-n", name, "--older-than", "0"];

  const planned = await doctor(containerd, ...argv, "--fix", "--dry-run");
  assertEquals(planned.code, 3);
  assertEquals((await Array.fromAsync(leases.list())).length, 3);
  const fixed = await doctor(containerd, ...argv, "--fix");
  assertEquals(
    fixed.rows.map(({ what, status }) => [what, status]).sort(),
    [
      ['ingest "of-somebody"', "found"],
      [`ingest "davit-sha256:${"1".repeat(64)}"`, "mended"],
      [`lease "${lease.id}"`, "mended"],
      ['lease "over"', "mended"],
    ].sort(),
  );
  assertEquals(fixed.code, 3);
  assertEquals(await Array.fromAsync(leases.list(), ({ id }) => id), ["foreign"]);
  assertEquals(await Array.fromAsync(content.listStatuses(), ({ ref }) => ref), ["of-somebody"]);
  await runCommand(containerd, fixed.rows.find(({ what }) => what.includes("of-somebody"))!.command);
  assertEquals((await doctor(containerd, ...argv)).rows, []);
}, { fresh: true, collecting: "on request" });

realTest(
  "doctor's commands mend what a registry has, what a dead run left, and a missing default",
  async (_t, containerd) => {
    const image = await busyboxImage();
    await using registry = await StockedRegistry.start({ "app:1": image, "other:1": image });
    const dead = { ...await thisOwner(), startedAt: "1" };
    await using client = await connect({ address: containerd.address, owner: () => Promise.resolve(dead) });
    const namespace = uniqueNamespace();
    const { images, content, containers, leases } = client.namespace(namespace);
    const [app, other] = [registry.reference("app:1"), registry.reference("other:1")];
    for (const name of [app, other]) {
      assertEquals(
        (await davit(containerd, ["-n", namespace, "pull", "--plain-http", name, "--no-unpack"])).code,
        0,
      );
    }
    const spec = { ociVersion: "1.0.2" };
    await containers.create({ id: "web", image: other, runtime: "io.containerd.runc.v2", spec });
    await images.delete(other);
    await content.delete([...image.blobs.keys()].find((digest) => digest !== image.target.digest)!);
    await leases.acquire({ prefix: "davit-dead" });
    const defaultLabel = { "containerd.io/defaults/snapshotter": "missing" };
    await client.namespaces.update(namespace, { labels: defaultLabel });

    const { rows } = await doctor(containerd, "-n", namespace);
    assertEquals(rows.map(({ check }) => check).sort(), [
      "broken-image",
      "container-without-image",
      "dead-lease",
      "snapshotter-not-loaded",
    ]);
    for (const { command } of rows) {
      await runCommand(containerd, command.replace(" pull ", " pull --plain-http --no-unpack "));
    }
    assertEquals((await doctor(containerd, "-n", namespace)).rows, []);
  },
  { series: ["2"], fresh: true, collecting: "on request" },
);

realTest("doctor takes no shim for a leftover that a sandbox has", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const namespace = uniqueNamespace();
  await client.namespaces.create(namespace);
  await startSandbox(containerd, namespace, "pod");
  const shims = async () => (await found(containerd, client, namespace)).map(({ check }) => check);
  assertEquals((await shimsOf(namespace)).length, 1);
  assertEquals(await shims(), []);
  const { sandboxes } = client.namespace(namespace);
  await sandboxes.delete("pod");
  assertEquals((await shims()).sort(), ["empty-namespace", "leftover-shim"]);
  await sandboxes.stop({ id: "pod", sandboxer: "" });
}, { series: ["1.7"], fresh: true, collecting: "on request" });

realTest("doctor takes no shim for a leftover that another container runs in", async (_t, containerd) => {
  await using client = await connect({ address: containerd.address });
  const namespace = uniqueNamespace();
  const image = await busyboxImage();
  await importWithCtr(containerd, namespace, ociArchive([image]), { unpack: true });
  const inPod = ["--detach", "--annotation", "io.kubernetes.cri.sandbox-id=first"];
  for (const id of ["first", "second"]) {
    await containerd.ctr(["run", ...inPod, image.name, id, "sleep", "600"], { namespace });
  }
  assertEquals((await shimsOf(namespace)).length, 1, "both have the same");
  await containerd.ctr(["tasks", "rm", "--force", "first"], { namespace });
  assertEquals(await found(containerd, client, namespace).then((rows) => rows.map(({ check }) => check)), []);
}, { series: ["2"], fresh: true, collecting: "on request" });

realTest("doctor sees sockets and folders that others may write to", async (_t, containerd) => {
  const folder = dirname(containerd.address);
  const sockets = async () => (await doctor(containerd)).rows.filter(({ check }) => check === "open-socket");
  assertEquals(await sockets(), []);
  await Deno.chmod(containerd.address, 0o666);
  await Deno.chmod(folder, 0o777);
  await Deno.chown(containerd.address, 0, 12345);
  const rows = await sockets();
  assertEquals(rows.map(({ severity, what, command }) => [severity, what, command]), [
    ["error", `socket "${containerd.address}"`, `chmod o-rwx ${containerd.address}`],
    ["note", `socket "${containerd.address}"`, `chgrp 0 ${containerd.address}`],
    ["error", `folder "${folder}"`, `chmod o-w ${folder}`],
  ]);
  for (const { command } of rows) await runCommand(containerd, command);
  assertEquals(await sockets(), []);
}, { series: ["2"], fresh: true, collecting: "on request" });

realTest(
  "doctor finds shims and cgroups that are left, and not those that are used",
  async (_t, containerd) => {
    await using client = await connect({ address: containerd.address });
    const namespace = uniqueNamespace();
    const image = await busyboxImage();
    await importWithCtr(containerd, namespace, ociArchive([image]), { unpack: true });
    for (const id of ["used", "forgotten"]) {
      await containerd.ctr(["run", "--detach", image.name, id, "sleep", "600"], { namespace });
    }
    const leftovers = async () =>
      (await found(containerd, client, namespace)).filter(({ check }) => check.startsWith("leftover"));
    assertEquals(await leftovers(), []);

    try {
      await forgetTask(containerd, namespace, "forgotten");
      const [shim, ...others] = await leftovers();
      assertEquals([shim!.check, others], ["leftover-shim", []]);
      assertStringIncludes(shim!.why, 'container "forgotten"');
      const pids = shim!.commands[0]!.slice(2);
      assertEquals(pids.length, 2);
      await run("sh", ["-c", commandOf(shim!)]);
      for (const pid of pids) {
        while (await Deno.stat(`/proc/${pid}`).then(() => true, () => false)) await pause();
      }
      await Deno.mkdir(`${await groupFolder(namespace)}/gone`);
      const groups = await leftovers();
      assertEquals(groups.map(({ check, what }) => [check, what]).sort(), [
        ["leftover-cgroup", `cgroup "/${namespace}/forgotten"`],
        ["leftover-cgroup", `cgroup "/${namespace}/gone"`],
      ]);
      for (const group of groups) await run("sh", ["-c", commandOf(group)]);
      assertEquals(await leftovers(), []);
      const tasks = await Array.fromAsync(client.namespace(namespace).tasks.list());
      assertEquals(tasks.map(({ id, status }) => [id, status]), [["used", "running"]]);
    } finally {
      const groups = ["-depth", "-path", `*/${namespace}/*`, "-type", "d", "-exec", "rmdir", "{}", ";"];
      await run("find", ["/sys/fs/cgroup", ...groups], { check: false });
    }
  },
  { series: ["2"], fresh: true, collecting: "on request" },
);

realTest(
  "doctor is silent about a containerd that is well, and looks at all namespaces",
  async (_t, containerd) => {
    await importWithCtr(containerd, "app", ociArchive([await busyboxImage()]), { unpack: true });
    await containerd.ctr(["namespaces", "create", "moby"]);
    assertEquals((await doctor(containerd)).rows, []);
    await containerd.ctr(["namespaces", "create", "typo"]);
    await containerd.ctr(["namespaces", "create", "meant", "owner=ops"]);
    const { code, rows } = await doctor(containerd);
    assertEquals([code, rows.map(({ check, namespace }) => [check, namespace])], [3, [[
      "empty-namespace",
      "typo",
    ]]]);
    await runCommand(containerd, rows[0]!.command);
    const { stdout } = await davit(containerd, ["doctor"]);
    assertMatch(stdout, /^SEVERITY +NAMESPACE +WHAT +WHY +STATUS +COMMAND\n/);
    assertEquals((await davit(containerd, ["doctor", "-n", "none"])).code, 4);
  },
  { series: ["2"], fresh: true, collecting: "on request" },
);

realTest("doctor knows the holes of the version that runs", async (_t, containerd) => {
  const { code, holes } = await holesOf(containerd);
  const { series } = containerd.release;
  assertEquals(code, series === "2" ? 0 : 3);
  const ids = holes.map(({ why }) => why.split(" ")[0]);
  // Those of the plugin for Kubernetes are not in it, which these daemons do not have.
  assertEquals(
    ids,
    {
      "1.6": ["CVE-2026-47262", "CVE-2026-46680", "GHSA-7ww5-4wqc-m92c:"],
      "1.7": ["CVE-2026-47262", "CVE-2026-46680"],
      "2": [],
    }[series],
  );
  for (const { why } of holes) {
    assertMatch(why, / without it, unless your distribution backported the fix$/);
  }
}, { fresh: true, collecting: "on request" });

realTest(
  "doctor knows the holes of containerd's plugin for Kubernetes where it runs",
  async (_t, containerd) => {
    const config = `${containerd.root}/config.toml`;
    const text = await Deno.readTextFile(config);
    await Deno.writeTextFile(
      config,
      text.replaceAll(/^ *"io\.containerd\.(?:grpc\.v1\.cri|cri\..*)",\n/gm, ""),
    );
    await containerd.restart();
    const { holes } = await holesOf(containerd);
    assertEquals(holes.map(({ why }) => why.split(" ")[0]), ["CVE-2026-53495"]);
  },
  { series: ["2"], fresh: true, collecting: "on request" },
);

async function holesOf(containerd: Containerd): Promise<{ code: number; holes: Row[] }> {
  const { code, stdout } = await davit(containerd, ["doctor", "-o", "json"]);
  return { code, holes: (JSON.parse(stdout) as Row[]).filter(({ check }) => check === "known-hole") };
}

/** Breaks everything in a namespace that can be broken without harm to the machine. */
async function breakAll(containerd: Containerd, inside: NamespacedClient): Promise<void> {
  const { name: namespace, images, content, leases, containers } = inside;
  const [busybox, other] = [await busyboxImage(), await randomImage()];
  await importWithCtr(containerd, namespace, ociArchive([busybox, other]), { unpack: true });
  const run = (...args: string[]) => containerd.ctr(args, { namespace });
  await run("run", "--detach", busybox.name, "orphan", "sleep", "600");
  await run("containers", "create", busybox.name, "bare", "true");
  const runtime = "io.containerd.runc.v2";
  const spec = { ociVersion: "1.0.2" };
  await containers.create({
    id: "elsewhere",
    image: "gone:1",
    runtime,
    spec,
    snapshotter: "missing",
    snapshotKey: "x",
  });
  const labels = { "containerd.io/gc.root": "x" };
  const snapshots = inside.snapshots("overlayfs");
  await snapshots.prepare({ key: "lost", labels });
  await content.ingest({ ref: "lost", labels }, ReadableStream.from([new TextEncoder().encode("lost")]));
  await snapshots.remove("bare");
  await containers.delete("orphan");
  await content.delete([...other.blobs.keys()].find((digest) => digest !== other.target.digest)!);
  assert((await Array.fromAsync(images.list())).length === 2);
  await leases.collectGarbage(); // and with it what became garbage
  for await (const { digest, labels } of content.list()) {
    if (labels["containerd.io/gc.root"]) {
      await content.update(digest, { labels: { "containerd.io/gc.root": "" } });
    }
  }
  await snapshots.update("lost", { labels: { "containerd.io/gc.root": "" } });
  await leases.create({ id: "over", expiresInMs: -60_000 });
}

/** Runs a command line that doctor gave: in a shell, where `davit` is this one. */
async function runCommand({ address }: Containerd, command: string): Promise<void> {
  assertStringIncludes(`${command} `, command.startsWith("davit") ? ` -a ${address} ` : " ");
  const main = fromFileUrl(new URL("../../../cli/main.ts", import.meta.url));
  const { code, stderr } = await new Deno.Command("sh", {
    args: ["-c", `davit() { "$0" run -A --no-check "${main}" "$@"; }; ${command}`, Deno.execPath()],
  }).output();
  assertEquals(code, 0, `${command}: ${new TextDecoder().decode(stderr)}`);
}

async function found({ address }: Containerd, client: Client, only: string): Promise<Finding[]> {
  const here = await thisOwner();
  const options = {
    address,
    only,
    youngMs: 0,
    isAlive: (owner: Parameters<typeof isAlive>[0]) => isAlive(owner, here),
  };
  return (await Array.fromAsync(diagnose(client, options))).filter(({ check }) => !always.has(check));
}

function commandOf({ commands }: Finding): string {
  return commands.map((words) => words.join(" ")).join(" && ");
}

/** Makes containerd forget a task whose shim goes on, as it does when its state is lost. */
async function forgetTask(containerd: Containerd, namespace: string, id: string): Promise<void> {
  const bundle = `${containerd.root}/state/io.containerd.runtime.v2.task/${namespace}/${id}`;
  containerd.kill("SIGKILL");
  await containerd.exited();
  await run("umount", ["--lazy", `${bundle}/rootfs`]);
  await Deno.remove(bundle, { recursive: true });
  await containerd.restart();
}

/** Where the groups of a namespace's containers are, in one of the kernel's hierarchies. */
async function groupFolder(namespace: string): Promise<string> {
  for (const hierarchy of ["/sys/fs/cgroup", "/sys/fs/cgroup/pids"]) {
    const folder = `${hierarchy}/${namespace}`;
    if (await Deno.stat(folder).then(() => true, () => false)) return folder;
  }
  throw new Error(`There is no group of namespace ${namespace}`);
}

async function pause(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 20));
}

async function resting({ content }: NamespacedClient, ref: string): Promise<AsyncDisposable> {
  const gate = Promise.withResolvers<void>();
  const source = async function* () {
    yield new Uint8Array(1 << 20);
    await gate.promise;
    throw new Error("enough");
  };
  const writing = content.ingest({ ref, size: 2 << 20 }, source()).catch(() => {});
  const isThere = async () =>
    (await Array.fromAsync(content.listStatuses())).some((status) => status.ref === ref);
  while (!await isThere()) await pause();
  return {
    [Symbol.asyncDispose]: async () => {
      gate.resolve();
      await writing;
    },
  };
}
