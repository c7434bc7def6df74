import { assertEquals, InMemoryContainerd, runPlugin, test } from "davit/testing";
import plugin from "./sample_plugin.ts";

test("sample-plugin begins with what is there", async () => {
  const containerd = new InMemoryContainerd({
    namespaces: { default: { images: [{ name: "example.com/app:1" }] } },
  });
  const { rows } = await runPlugin(plugin, { containerd, options: { once: true } });
  assertEquals(rows.map((row) => (row as { name: string }).name), ["example.com/app:1"]);
});
