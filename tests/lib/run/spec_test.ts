import { assert, assertEquals, assertMatch } from "@std/assert";
import { findImage } from "../../../lib/image/tag.ts";
import { capabilities } from "../../../lib/oci/spec/capabilities.ts";
import type { DeviceRule, RuntimeSpec } from "../../../lib/oci/spec/runtime_spec.ts";
import type { SeccompProfile, SeccompRule } from "../../../lib/oci/spec/seccomp.ts";
import { type ContainerOptions, createContainer } from "../../../lib/run/container.ts";
import { removeContainer } from "../../../lib/run/remove.ts";
import { execProcess, startTask } from "../../../lib/run/run.ts";
import { importImages } from "../../../lib/image/import.ts";
import { busyboxImage, ociArchive } from "../../real/images.ts";
import { busyboxName } from "../some_container.ts";
import { Captured, runBusybox, type RunSetting, runTest } from "./setting.ts";

/** Our spec and that of ctr for the same flags, with what may differ taken out. */
async function bothSpecs(
  { client, containerd }: RunSetting,
  { name = busyboxName, options, flags, command = [] }: {
    name?: string;
    options: Partial<ContainerOptions>;
    flags: string[];
    command?: string[];
  },
): Promise<[RuntimeSpec, RuntimeSpec]> {
  const image = await findImage(client, name);
  await createContainer(client, { id: "same", image, command, ...options });
  const ours = await client.containers.spec("same");
  await removeContainer(client, "same");
  // Only `run` knows all flags; without a shim it leaves the container.
  const args = ["run", "--runtime", "io.containerd.none.v1", ...flags, name, "same", ...command];
  await containerd.ctr(args, { namespace: client.name, check: false });
  const theirs = await client.containers.spec("same");
  await removeContainer(client, "same");
  return [comparable(ours), comparable(theirs)];
}

/** ctr takes the newest version that it knows, keeps members that are empty, and orders as it comes. */
function comparable({ ociVersion: _, ...spec }: RuntimeSpec): RuntimeSpec {
  const clean: RuntimeSpec = JSON.parse(
    JSON.stringify(spec, (_, value) => value === null ? undefined : value),
  );
  const { linux, process } = clean;
  for (const names of Object.values(process?.capabilities ?? {})) names?.sort();
  process?.user?.additionalGids?.sort();
  process?.env?.sort();
  for (const paths of [linux?.maskedPaths, linux?.readonlyPaths]) paths?.sort();
  linux?.devices?.sort((a, b) => (a.path < b.path ? -1 : 1));
  const { resources } = linux ?? {};
  const text = (rule: DeviceRule) =>
    JSON.stringify([rule.allow, rule.type, rule.major, rule.minor, rule.access]);
  resources?.devices?.sort((a, b) => (text(a) < text(b) ? -1 : 1));
  return clean;
}

runTest("createContainer() makes the spec that ctr makes", async (setting) => {
  const { containerd: { release: { series } } } = setting;
  const [ours, theirs] = await bothSpecs(setting, { options: {}, flags: [] });
  // 1.6 masks less than later ones do.
  if (series === "1.6") theirs.linux!.maskedPaths = ours.linux!.maskedPaths!;
  assertEquals(ours, theirs);
});

runTest("createContainer() understands flags as ctr does", async (setting) => {
  const [ours, theirs] = await bothSpecs(setting, {
    options: {
      env: ["PATH=/usr/bin:/bin", "A=1"],
      mounts: [{ type: "bind", source: "/srv", destination: "/run", options: ["rbind", "ro"] }],
      user: "7:8",
      cwd: "/tmp",
      hostname: "ship",
      annotations: { a: "b" },
      memoryLimit: 64 * 1024 ** 2,
      cpus: 0.5,
      addCapabilities: ["CAP_NET_ADMIN"],
      dropCapabilities: ["CAP_MKNOD"],
      readOnly: true,
      devices: ["/dev/full"],
      cgroup: "/some/where",
      terminal: true,
    },
    flags: [
      ...["--env", "PATH=/usr/bin:/bin", "--env", "A=1", "--cwd", "/tmp", "--hostname", "ship", "--tty"],
      ...["--mount", "type=bind,src=/srv,dst=/run,options=rbind:ro", "--user", "7:8", "--annotation", "a=b"],
      ...["--memory-limit", `${64 * 1024 ** 2}`, "--cpus", "0.5", "--cap-add", "CAP_NET_ADMIN"],
      ...["--cap-drop", "CAP_MKNOD", "--read-only", "--device", "/dev/full", "--cgroup", "/some/where"],
    ],
    command: ["id", "-u"],
  });
  assertEquals(ours, theirs);
}, { series: ["2"] });

runTest("createContainer() takes from an image's config what ctr takes", async (setting) => {
  const { client } = setting;
  const name = "example.com/rich:1";
  const image = await busyboxImage(name, {
    Entrypoint: ["/bin/sh", "-c"],
    Cmd: ["exit 3"],
    Env: ["PATH=/bin", "A=1", "B=x=y"],
    WorkingDir: "/tmp",
    User: "7:8",
    StopSignal: "SIGQUIT",
    Labels: { owner: "ci", "containerd.io/restart.status": "running", "io.cri-containerd.kind": "container" },
  });
  await importImages(client, ociArchive([image]));
  const env = ["A=2", "C=3"];
  for (const command of [[], ["exit 4"]]) {
    const flags = env.flatMap((change) => ["--env", change]);
    const [ours, theirs] = await bothSpecs(setting, { name, options: { env }, flags, command });
    assertEquals(ours.process, theirs.process);
  }
  await createContainer(client, { id: "c", image: await client.images.get(name), env: ["B"] });
  const { labels } = await client.containers.get("c");
  assertEquals(labels, { owner: "ci", "io.containerd.image.config.stop-signal": "SIGQUIT" });
  const { process } = await client.containers.spec("c");
  assertEquals([process!.env, process!.args], [["PATH=/bin", "A=1"], ["/bin/sh", "-c", "exit 3"]]);
  await removeContainer(client, "c");
}, { series: ["1.7", "2"] });

runTest("createContainer() gives a privileged container what ctr gives it", async (setting) => {
  const [ours, theirs] = await bothSpecs(setting, {
    options: { privileged: true, hostNetwork: true },
    flags: ["--privileged", "--net-host"],
  });
  // Allowing all once more is the same as allowing it; ours says it once, and names no SELinux label.
  const rules = theirs.linux!.resources!.devices!.filter(({ allow, type }) => allow && type === undefined);
  assert(rules.length > 0);
  for (const spec of [ours, theirs]) spec.linux!.resources!.devices = [];
  assertEquals(ours.process, theirs.process);
  assertEquals(ours.mounts, theirs.mounts);
  assertEquals(ours.linux!.namespaces, theirs.linux!.namespaces);
  assertEquals(ours.linux!.maskedPaths ?? [], theirs.linux!.maskedPaths ?? []);
  assertEquals(
    ours.linux!.devices!.map(({ path, major, minor }) => [path, major, minor]),
    theirs.linux!.devices!.map(({ path, major = 0, minor = 0 }) => [path, major, minor]),
  );
}, { series: ["2"] });

runTest("createContainer() confines a container as ctr does", async (setting) => {
  const { series } = setting.containerd.release;
  const many = ["CAP_SYS_ADMIN", "CAP_SYS_TIME", "CAP_BPF"];
  const all = capabilities.filter((name) => name !== "CAP_SYS_ADMIN");
  for (const addCapabilities of [[], many, all]) {
    const flags = addCapabilities.flatMap((name) => ["--cap-add", name]);
    const options = { seccomp: "default" as const, addCapabilities };
    const [ours, theirs] = await bothSpecs(setting, { options, flags: ["--seccomp", ...flags] });
    const [our, their] = [ours, theirs].map((spec) => effectOf(spec.linux!.seccomp!));
    // Until 2.0, io_uring was allowed.
    if (series !== "2") our!.allowed.push("io_uring_enter", "io_uring_register", "io_uring_setup");
    our!.allowed.sort();
    assertEquals(our, their);
  }
}, { series: ["1.7", "2"] });

runTest("createContainer() and execProcess() keep integers of 64 bits in a spec", async ({ client }) => {
  const unlimited = 2n ** 64n - 1n;
  const image = await findImage(client, busyboxName);
  await createContainer(client, { id: "c", image, command: ["sleep", "600"] });
  const { process, ...spec } = await client.containers.spec("c");
  const rlimits = [{ type: "RLIMIT_CORE", hard: unlimited, soft: unlimited }];
  await client.containers.delete("c");
  await client.containers.create({
    ...{ id: "c", runtime: "io.containerd.runc.v2", snapshotter: "overlayfs", snapshotKey: "c" },
    spec: { ...spec, process: { ...process!, rlimits } },
  });
  assertEquals((await client.containers.spec("c")).process!.rlimits, rlimits);
  using first = await startTask(client, "c");
  const captured = new Captured();
  const second = await execProcess(client, {
    containerId: "c",
    command: ["grep", "Max core", "/proc/self/limits"],
    streams: captured.streams(),
  });
  assertEquals((await second.wait()).exitStatus, 0);
  await second.delete();
  assertMatch(captured.stdout, /unlimited +unlimited/);
  await first.discard();
  await removeContainer(client, "c");
}, { series: ["2"] });

/** A profile with all that is allowed without conditions in one list. */
function effectOf({ syscalls = [], ...profile }: SeccompProfile) {
  const isPlain = ({ action, args }: SeccompRule) => action === "SCMP_ACT_ALLOW" && args === undefined;
  const allowed = new Set(syscalls.filter(isPlain).flatMap(({ names }) => names));
  return { ...profile, allowed: [...allowed].sort(), others: syscalls.filter((rule) => !isPlain(rule)) };
}

runTest(
  "createContainer() builds what works: user, mounts, limits, rights and variables as seen inside",
  async (setting) => {
    const { client } = setting;
    const inside = async (command: string, options: Partial<ContainerOptions>) =>
      (await runBusybox(client, ["/bin/sh", "-c", command], options)).stdout.trim();
    assertEquals(await inside("id", { user: "1:2" }), "uid=1 gid=2 groups=2");
    assertEquals(await inside("hostname; pwd", { hostname: "ship", cwd: "/tmp" }), "ship\n/tmp");
    const { stdout } = await runBusybox(client, ["/bin/env"], { env: ["A=x", "PATH"] });
    assertEquals(stdout.trim().split("\n").filter((line) => !line.startsWith("HOME=")), ["A=x"]);
    assertEquals(
      await inside("touch /x 2>&1; touch /run/x && echo run", { readOnly: true }),
      "touch: /x: Read-only file system\nrun",
    );
    const folder = await Deno.makeTempDir({ prefix: "davit-test-mount-" });
    try {
      await Deno.writeTextFile(`${folder}/f`, "mounted");
      const mounts = [{ type: "bind", source: folder, destination: "/data", options: ["rbind", "ro"] }];
      assertEquals(
        await inside("cat /data/f; touch /data/g 2>/dev/null || echo ro", { mounts }),
        "mountedro",
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
    const effective = (options: Partial<ContainerOptions>) =>
      inside("grep CapEff /proc/self/status", options);
    assertEquals(await effective({ dropCapabilities: ["CAP_CHOWN"] }), "CapEff:\t00000000a80425fa");
    assertEquals(await effective({}), "CapEff:\t00000000a80425fb");
    assertEquals(
      await inside("grep Seccomp: /proc/self/status; unshare true 2>&1", { seccomp: "default" }),
      "Seccomp:\t2\nunshare: unshare(0x0): Operation not permitted",
    );
    const profile = {
      defaultAction: "SCMP_ACT_ALLOW",
      syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 1 }],
    };
    assertEquals(
      await inside("mkdir /x 2>&1; echo here", { seccomp: profile }),
      "mkdir: can't create directory '/x': Operation not permitted\nhere",
    );
    assertEquals(await inside("grep Seccomp: /proc/self/status", {}), "Seccomp:\t0");
    assertEquals(
      await inside("ls /dev/full /dev/loop-control 2>/dev/null", { devices: ["/dev/full"] }),
      "/dev/full",
    );
  },
  { series: ["2"] },
);
