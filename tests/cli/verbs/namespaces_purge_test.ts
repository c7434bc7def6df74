import { assertEquals, assertMatch } from "@std/assert";
import { connect } from "davit";
import { importWithCtr, ociArchive, randomImage } from "../../real/images.ts";
import { realTest, uniqueNamespace } from "../../real/test.ts";
import { run } from "../../../cli/app.ts";
import { openSocket, type SocketOptions } from "../../../lib/host.ts";
import { meddled } from "../../fault/meddler.ts";
import { CapturedIo } from "../captured_io.ts";
import { davit } from "./davit.ts";

realTest("namespaces remove --purge shows what goes, asks, and removes it", async (_t, containerd) => {
  const name = uniqueNamespace();
  await importWithCtr(containerd, name, ociArchive([await randomImage()]));
  const purge = ["namespaces", "remove", name, "--purge"];
  const plan = await davit(containerd, [...purge, "--dry-run", "-o", "json"]);
  const { images, blobs, tasks } = JSON.parse(plan.stdout)[0];
  assertEquals([images, blobs, tasks], [1, 4, 0]);

  const unasked = await davit(containerd, purge);
  assertEquals(unasked.code, 2);
  assertMatch(
    unasked.stderr,
    /Remove namespace ".*" with 0 tasks, 0 containers, 1 images, content of 129.\d KiB\?/,
  );
  assertEquals(await davit(containerd, [...purge, "--yes"]), { code: 0, stdout: `${name}\n`, stderr: "" });
  assertEquals((await davit(containerd, [...purge, "--yes"])).code, 4);
  assertEquals((await davit(containerd, [...purge, "--yes", "--ignore-missing"])).code, 0);
});

realTest(
  "namespaces remove --purge keeps its hands off what is protected or leased",
  async (_t, containerd) => {
    await importWithCtr(containerd, "k8s.io", ociArchive([await randomImage()]));
    const kept = await davit(containerd, ["ns", "rm", "k8s.io", "--purge", "--yes"]);
    assertEquals(kept.code, 5);
    assertMatch(
      kept.stderr,
      /Cannot remove namespace "k8s.io": it is protected, .*\nhint: --allow-protected/,
    );
    const name = uniqueNamespace();
    await containerd.ctr(["leases", "create", "--id", "mine"], { namespace: name });
    const leased = await davit(containerd, ["ns", "rm", name, "--purge", "--yes"]);
    assertEquals(leased.code, 5);
    assertMatch(leased.stderr, /somebody holds lease "mine" in it\nhint: --delete-leases/);
    assertEquals(
      (await davit(containerd, ["ns", "rm", name, "--purge", "--yes", "--delete-leases"])).code,
      0,
    );
    assertEquals((await davit(containerd, ["ns", "rm", name, "--dry-run"])).code, 2);
  },
  { series: ["2"], fresh: true },
);

realTest("namespaces remove --purge says so when the namespace is there again", async (_t, containerd) => {
  const name = uniqueNamespace();
  await containerd.ctr(["leases", "create", "--id", "mine"], { namespace: name });
  const io = new CapturedIo();
  const argv = ["--address", containerd.address, "ns", "rm", name, "--purge", "--yes", "--delete-leases"];
  const write = async () => {
    await containerd.ctr(["leases", "create", "--id", "again"], { namespace: name });
  };
  const connect = async (options: SocketOptions) =>
    meddled(
      await openSocket(options),
      ({ method }) => method.endsWith("Namespaces/Delete") ? write : undefined,
    );
  assertEquals([await run(argv, io, { connect }), io.stdout], [3, ""]);
  assertMatch(io.stderr, /Namespace "test-\w+" is there again, because something writes to it/);
  assertEquals(
    (await davit(containerd, ["ns", "rm", name, "--purge", "--yes"])).code,
    5,
    "somebody is at work",
  );
}, { series: ["2"] });

realTest("namespaces remove --purge names what keeps it from being emptied", async (_t, containerd) => {
  const name = uniqueNamespace();
  await using client = await connect({ address: containerd.address });
  const native = client.namespace(name).snapshots("native");
  await native.prepare({ key: "kept", labels: { "containerd.io/gc.root": "x" } });
  const config = `${containerd.root}/config.toml`;
  const text = await Deno.readTextFile(config);
  const without = text.replace(
    "disabled_plugins = [",
    'disabled_plugins = ["io.containerd.snapshotter.v1.native",',
  );
  await Deno.writeTextFile(config, without);
  await containerd.restart();
  const { code, stderr } = await davit(containerd, ["ns", "rm", name, "--purge", "--yes"]);
  assertEquals(code, 5);
  assertMatch(stderr, /still has snapshots on "native" snapshotter.*\nhint: .*: see davit daemon plugins/);
}, { series: ["2"], fresh: true });
