import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { InvalidArgumentError, NotFoundError, UnimplementedError } from "../../lib/errors.ts";
import { isContainerd2 } from "../../lib/introspection.ts";
import { daemonTest, serviceTest } from "./both_transports.ts";

for (
  const [is, versions] of [
    [true, [
      "2.0.0",
      "v2.1.4",
      "v2.1.9-dev",
      "v2.0.0-rc.1",
      "2.1.9+ds1",
      "v10.0.0",
      "2.2",
      "2",
      "v2.1.4-k3s1",
    ]],
    [true, ["main-abcdef", "1abcdef", "unknown", "", "v", "(devel)"]], // what no release is called
    [false, ["1.7.24~ds1", "v1.7.0-beta.4", "1.6.20~ds1", "v1.7.23-k3s2", "1.7", "1", "0.2.9"]],
  ] as const
) {
  for (const version of versions) {
    Deno.test(`isContainerd2() takes ${JSON.stringify(version)} for ${is ? "2.0 or newer" : "older"}`, () => {
      assertEquals(isContainerd2(version), is);
    });
  }
}

daemonTest("introspection.version() tells the daemon's version", async ({ client, containerd }) => {
  const { version, revision } = await client.introspection.version();
  assertEquals(/^v?(\d+\.\d+\.\d+)/.exec(version)?.[1], containerd.release.version);
  const { stdout } = await containerd.ctr(["version"]);
  const [, server] = stdout.split("Server:");
  for (const text of [version, revision]) assertStringIncludes(server!, text);
});

daemonTest("introspection.server() tells who the daemon is", async ({ client, containerd }) => {
  const { uuid, pid, deprecations } = await client.introspection.server();
  const inCtr = /UUID: (\S+)/.exec((await containerd.ctr(["version"])).stdout)?.[1];
  assertEquals(uuid, inCtr);
  assertEquals(pid, containerd.release.series === "1.6" ? 0 : containerd.pid);
  for (const { id, message } of deprecations) assert(id !== "" && message !== "");
});

daemonTest(
  "introspection.plugins() lists containerd's plugins and why some did not start",
  async ({ client, containerd }) => {
    const plugins = await Array.fromAsync(client.introspection.plugins());
    const { stdout } = await containerd.ctr(["plugins", "list"]);
    const rows = stdout.trim().split("\n").slice(1).map((line) => line.split(/\s+/));
    assertEquals(
      plugins.map(({ type, id, initError }) => `${type} ${id} ${initError === undefined ? "runs" : "failed"}`)
        .sort(),
      rows.map(([type, id, ...rest]) => `${type} ${id} ${rest.includes("ok") ? "runs" : "failed"}`).sort(),
    );
    assert(plugins.some(({ initError }) => initError?.includes("skip plugin")));
    const filters = ["type==io.containerd.snapshotter.v1,id==overlayfs"];
    const [overlayfs, ...more] = await Array.fromAsync(client.introspection.plugins({ filters }));
    assertEquals([overlayfs?.id, more], ["overlayfs", []]);
    const broken = client.introspection.plugins({ filters: ["="] });
    await assertRejects(
      () => Array.fromAsync(broken),
      InvalidArgumentError,
      "Cannot list the plugins of containerd: ",
    );
  },
);

serviceTest("introspection.pluginInfo() tells of one plugin", async ({ client: { introspection } }) => {
  const type = "io.containerd.snapshotter.v1";
  const plugin = await introspection.pluginInfo(type, "overlayfs");
  assertEquals([plugin.type, plugin.id], [type, "overlayfs"]);
  const { message } = await assertRejects(() => introspection.pluginInfo(type, "none"), NotFoundError);
  assertEquals(message, `Cannot get plugin "${type}.none" of containerd: not found`);
}, { series: ["2"] });

serviceTest(
  "introspection.pluginInfo() is unimplemented before containerd 2",
  async ({ client: { introspection } }) => {
    const error = await assertRejects(() => introspection.pluginInfo("a", "b"), UnimplementedError);
    assertEquals([error.code, error.outcome], ["unimplemented", "refused"]);
  },
  { series: ["1.6", "1.7"] },
);

for (const policy of ["shared", "isolated"] as const) {
  serviceTest(`introspection.contentSharingPolicy() sees that it is ${policy}`, async ({ client }) => {
    assertEquals(await client.introspection.contentSharingPolicy(), policy);
  }, { policy });
}
