import { assertEquals, assertMatch } from "@std/assert";
import { InMemoryContainerd, runPlugin } from "davit/testing";
import plugin from "../../plugins/namespace_report.ts";
import { davit } from "../cli/plugin/program.ts";
import { importWithCtr, ociArchive, randomImage } from "../real/images.ts";
import { realTest, uniqueNamespace } from "../real/test.ts";

Deno.test("namespace-report counts what namespaces hold, the largest first, and what is new", async () => {
  const old = new Date(Date.now() - 30 * 24 * 3_600_000);
  const containerd = new InMemoryContainerd({
    namespaces: {
      small: { images: [{ name: "example.com/a:1", createdAt: old }], labels: { team: "x" } },
      large: {
        images: [
          { name: "example.com/b:1", createdAt: old, layers: ["some text that is longer"] },
          { name: "example.com/b:2", layers: ["some other text that is longer"] },
        ],
      },
    },
  });
  const said: string[] = [];
  const shown = async (options: { label?: string }) => {
    const { rows, log } = await runPlugin(plugin, { containerd, options });
    said.push(...log);
    return (rows as { namespace: string; images: number; fresh: number; newest: string }[])
      .map(({ namespace, images, fresh, newest }) => [namespace, images, fresh, newest]);
  };
  assertEquals(await shown({}), [["large", 2, 1, "example.com/b:2"], ["small", 1, 0, "example.com/a:1"]]);
  assertEquals(await shown({ label: "team" }), [["small", 1, 0, "example.com/a:1"]]);
  assertEquals(said, []);
  assertEquals(await shown({ label: "team=y" }), []);
  assertEquals(said, ["No namespace has the label team=y"]);
});

realTest(
  "namespace-report tells of a real containerd, and wants a label to be one",
  async (_t, containerd) => {
    const namespace = uniqueNamespace();
    await importWithCtr(containerd, namespace, ociArchive([await randomImage()]));
    const report = (...argv: string[]) => davit(["namespace-report", "-a", containerd.address, ...argv]);
    const { code, stdout } = await report("-o", "json");
    const row = JSON.parse(stdout).find((row: { namespace: string }) => row.namespace === namespace);
    assertEquals([code, row.images, row.fresh, row.containers], [0, 1, 1, 0]);
    const wrong = await report("--label", "=x");
    assertEquals(wrong.code, 2);
    assertMatch(wrong.stderr, /^davit: Cannot use "=x" for --label: it does not match /);
  },
  { series: ["2"] },
);
