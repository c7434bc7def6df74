import { pinLabels } from "davit";
import { assertEquals, InMemoryContainerd, runPlugin, test } from "davit/testing";
import plugin from "./sample_plugin.ts";

function containerd(): InMemoryContainerd {
  const images = ["1.9.0", "1.10.0", "2.0.0"].map((tag) => ({ name: `example.com/app:${tag}` }));
  return new InMemoryContainerd({ namespaces: { default: { images } } });
}

test("sample-plugin keeps the newest", async () => {
  const daemon = containerd();
  const { rows } = await runPlugin(plugin, { containerd: daemon, options: { keep: 2 } });
  assertEquals(rows, [{ name: "example.com/app:1.9.0", status: "removed" }]);
  const left = await Array.fromAsync(daemon.client().namespace("default").images.list());
  assertEquals(left.length, 2);
});

test("sample-plugin leaves what is pinned", async () => {
  const daemon = containerd();
  const images = daemon.client().namespace("default").images;
  await images.update({ name: "example.com/app:1.9.0", labels: pinLabels(true) });
  const { rows } = await runPlugin(plugin, { containerd: daemon, options: { keep: 2 } });
  assertEquals(rows, [{ name: "example.com/app:1.9.0", status: "pinned" }]);
});

test("sample-plugin removes nothing in a dry run", async () => {
  const daemon = containerd();
  const { log } = await runPlugin(plugin, { containerd: daemon, options: { keep: 1 }, dryRun: true });
  assertEquals(log.length, 2);
  const left = await Array.fromAsync(daemon.client().namespace("default").images.list());
  assertEquals(left.length, 3);
});
