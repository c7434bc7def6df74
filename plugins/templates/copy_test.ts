import { assertEquals, InMemoryContainerd, runPlugin, test } from "davit/testing";
import plugin from "./sample_plugin.ts";

function containerd(): InMemoryContainerd {
  const images = [{ name: "example.com/app:1" }, { name: "example.com/tool:1" }];
  return new InMemoryContainerd({ namespaces: { build: { images } } });
}

test("sample-plugin copies what is included", async () => {
  const options = { to: ["prod"], include: ["example.com/app:*"] };
  const { rows } = await runPlugin(plugin, { containerd: containerd(), namespace: "build", options });
  assertEquals(rows.map((row) => (row as { status: string }).status), ["copied"]);
});

test("sample-plugin copies nothing in a dry run", async () => {
  const daemon = containerd();
  const { log } = await runPlugin(plugin, {
    containerd: daemon,
    namespace: "build",
    options: { to: ["prod"] },
    dryRun: true,
  });
  assertEquals(log.some((line) => line.startsWith("Would create image")), true);
  assertEquals(await Array.fromAsync(daemon.client().namespace("prod").images.list()), []);
});
