import { assertEquals, assertStringIncludes } from "@std/assert";
import { InMemoryContainerd, runPlugin } from "davit/testing";
import plugin from "../../plugins/image_retention.ts";
import { davit } from "../cli/plugin/program.ts";
import { importWithCtr, ociArchive, randomImage } from "../real/images.ts";
import { realTest, uniqueNamespace } from "../real/test.ts";

const hourMs = 3_600_000;

function containerd(): InMemoryContainerd {
  const images = [1, 2, 3, 4].map((hours) => ({
    name: `example.com/app:${hours}`,
    createdAt: new Date(Date.now() - (48 + hours) * hourMs),
  }));
  const pinned = { name: "example.com/app:pinned", labels: { "io.cri-containerd.pinned": "pinned" } };
  return new InMemoryContainerd({ namespaces: { default: { images: [...images, pinned] } } });
}

async function names(daemon: InMemoryContainerd): Promise<string[]> {
  await using client = daemon.client();
  return await Array.fromAsync(client.namespace("default").images.list(), ({ name }) => name);
}

Deno.test("image-retention keeps the newest of each repository and what is pinned", async () => {
  const daemon = containerd();
  const { rows, failed } = await runPlugin(plugin, { containerd: daemon, options: { keep: 3 } });
  const removed = (rows as { image: string; status: string }[]).filter(({ status }) => status === "removed");
  assertEquals([removed.map(({ image }) => image), failed], [["example.com/app:3", "example.com/app:4"], []]);
  assertEquals(await names(daemon), ["example.com/app:1", "example.com/app:2", "example.com/app:pinned"]);
});

Deno.test("image-retention leaves alone what is young, and everything in a dry run", async () => {
  const daemon = containerd();
  const before = await names(daemon);
  await runPlugin(plugin, { containerd: daemon, options: { keep: 1, olderThan: 72 * hourMs } });
  assertEquals(await names(daemon), before);
  const { rows } = await runPlugin(plugin, { containerd: daemon, options: { keep: 1 }, dryRun: true });
  assertEquals((rows as { status: string }[]).filter(({ status }) => status === "would go").length, 4);
  assertEquals(await names(daemon), before);
});

realTest(
  "image-retention removes images of a real containerd, by a number from the environment",
  async (_t, containerd) => {
    const namespace = uniqueNamespace();
    const images = await Promise.all(
      [1, 2, 3].map((seed) => randomImage({ name: `example.com/app:${seed}.0.0`, seed, layers: 1 })),
    );
    await importWithCtr(containerd, namespace, ociArchive(images));
    const argv = [
      "image-retention",
      "-a",
      containerd.address,
      "-n",
      namespace,
      "--order",
      "semver",
      "--older-than",
    ];
    const young = await davit([...argv, "1h"], { env: { DAVIT_RETENTION_KEEP: "1" } });
    assertEquals(young.code, 0, young.stderr);
    assertStringIncludes(young.stdout, "which is less than 1h");
    const shorter = await davit([...argv, "59m"], { env: {} }); // planPrune() spares an hour whatever it is asked
    assertEquals(shorter.code, 2);
    assertStringIncludes(shorter.stderr, 'Cannot use "59m" for --older-than: less than 1h');
    assertEquals((await davit([...argv, "1h"], { env: { DAVIT_RETENTION_KEEP: "0" } })).code, 2);
    assertEquals(
      (await containerd.ctr(["images", "ls", "-q"], { namespace })).stdout.split("\n").filter(Boolean).length,
      3,
    );
  },
  { series: ["2"] },
);
