/** Progress as it looks on a real terminal. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { imported } from "../lib/image/imported.ts";
import type { Containerd } from "../real/containerd.ts";
import { collect, manyImages, ociArchive, randomImage } from "../real/images.ts";
import { Screen } from "../real/screen.ts";
import { realTest, uniqueNamespace } from "../real/test.ts";

const main = new URL("../../cli/main.ts", import.meta.url).pathname;

function command({ address }: Containerd, namespace: string, ...argv: string[]): string {
  return [Deno.execPath(), "run", "-A", main, "-a", address, "-n", namespace, ...argv].map(quoted).join(" ");
}

function quoted(word: string): string {
  return `'${word}'`;
}

/** An import that stops in the middle of the archive's layers until the file `go` is there. */
async function halting(
  containerd: Containerd,
  { folder, namespace, seed }: { folder: string; namespace: string; seed: number },
): Promise<string> {
  const archive = await collect(
    ociArchive([await randomImage({ seed, layers: 2, layerBytes: 3 << 20 })]),
  );
  const [first, second, go] = ["first", "second", "go"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const half = archive.length - (1 << 20);
  await Deno.writeFile(first, archive.subarray(0, half));
  await Deno.writeFile(second, archive.subarray(half));
  const source = `cat ${first}; while [ ! -e ${go} ]; do sleep 0.05; done; cat ${second}`;
  return `{ ${source}; } | ${command(containerd, namespace, "images", "import", "-", "--no-unpack")}`;
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "davit-screen-" });
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const isHalting = (lines: string[]) =>
  [/\bdone\b/, /\bwriting\b/, /^elapsed:/].every((shown) => lines.some((line) => shown.test(line)));
const hasEnded = (lines: string[]) => lines.some((line) => /^exit \d+$/.test(line));
const trees = (lines: string[]) => lines.filter((line) => line === "archive:").length;

realTest(
  "a terminal shows a tree that goes along with its size, and stays above the results",
  async (_t, containerd) => {
    await inFolder(async (folder) => {
      const namespace = uniqueNamespace();
      const script = await halting(containerd, { folder, namespace, seed: 700 });
      await using screen = await Screen.start(script, { columns: 100, rows: 30 });
      const halted = await screen.until(isHalting);
      assertEquals(trees(halted), 1, halted.join("\n"));
      const done = /^ {2}blob [0-9a-f]{12} {2}done {9}\|\++\|$/;
      assert(halted.some((line) => done.test(line)), halted.join("\n"));
      const [writing = ""] = halted.filter((line) => line.includes("writing"));
      assertMatch(writing, /^ {2}blob [0-9a-f]{12} {2}writing {6}\|\+*-*\| {2}[\d.]+ [KM]iB\/3\.0 MiB$/);
      assertMatch(halted.at(-1)!, /^elapsed: \d+\.\d s {2}total: [\d.]+ MiB \([\d.]+ [KM]iB\/s\)$/);

      for (const columns of [50, 30, 100]) {
        await screen.resize({ columns, rows: 30 });
        const [before] = (await screen.lines()).filter((line) => line.startsWith("elapsed:"));
        // The next drawing is for the new size; a moment before, the terminal has broken the old one's lines.
        const drawn = await screen.until((lines) =>
          trees(lines) === 1 && isHalting(lines) && !lines.includes(before!)
        );
        assert(drawn.every((line) => line.length < columns), drawn.join("\n"));
        assertEquals(drawn.filter((line) => line.startsWith("elapsed:")).length, 1, drawn.join("\n"));
      }

      await Deno.writeTextFile(join(folder, "go"), "");
      const ended = await screen.until(hasEnded);
      assertEquals(trees(ended), 1, ended.join("\n"));
      const tree = ended.slice(
        ended.indexOf("archive:") + 1,
        ended.findIndex((line) => line.startsWith("elapsed:")),
      );
      assertEquals(tree.map((line) => line.trim().split(/ {2,}/)[1]), ["done", "done", "done", "done"]);
      assertMatch(ended.find((line) => line.startsWith("REF"))!, /^REF +DIGEST/);
      assertEquals(ended.at(-1), "exit 0");
    });
  },
  { series: ["2"] },
);

realTest("a terminal is left clean and with its cursor by Ctrl-C", async (_t, containerd) => {
  await inFolder(async (folder) => {
    const script = await halting(containerd, { folder, namespace: uniqueNamespace(), seed: 701 });
    await using screen = await Screen.start(`trap : INT; ${script}`);
    await screen.until(isHalting);
    await screen.press("C-c");
    const ended = await screen.until(hasEnded);
    assertEquals(ended.slice(-2), ["davit: Interrupted", "exit 130"]);
    assert(!ended.some((line) => /archive:|blob|elapsed/.test(line)), ended.join("\n"));
    assertEquals(await screen.cursor(), { visible: true, column: "exit 130".length });
  });
}, { series: ["2"] });

realTest("a terminal that is too small for a tree shows as much as it can", async (_t, containerd) => {
  await inFolder(async (folder) => {
    const namespace = uniqueNamespace();
    const images = await manyImages({ count: 40, seed: 710 });
    await imported(containerd, namespace, ociArchive(images));
    const file = join(folder, "images.tar");
    const exporting = command(containerd, namespace, "images", "export", file, "**");
    await using screen = await Screen.start(`${exporting} > ${join(folder, "table")}`, {
      columns: 60,
      rows: 10,
    });
    const ended = await screen.until(hasEnded);
    assertMatch(ended.at(-3)!, /^40 images done$/);
    assertMatch(ended.at(-2)!, /^elapsed: /);
    assertEquals(ended.length, 3, ended.join("\n"));
  });
}, { series: ["2"] });
