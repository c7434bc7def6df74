import { assertEquals, InMemoryContainerd, runPlugin, test } from "davit/testing";
import plugin from "./sample_plugin.ts";

const images = [{ name: "docker.io/library/app:1" }];

test("sample-plugin lists what is larger", async () => {
  const containerd = new InMemoryContainerd({ namespaces: { default: { images } } });
  const { rows } = await runPlugin(plugin, { containerd, options: { over: 0 } });
  assertEquals(rows.map((row) => (row as { name: string }).name), ["docker.io/library/app:1"]);
});

test("sample-plugin leaves out what is not", async () => {
  const containerd = new InMemoryContainerd({ namespaces: { default: { images } } });
  assertEquals((await runPlugin(plugin, { containerd })).rows, []);
});
